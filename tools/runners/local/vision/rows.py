"""The rows of this folder's tasks. Super-resolution is a part of image-to-image; see `upscaling_loader`."""

from __future__ import annotations

from ..loading.of_transformers import Transformers
from ..row import LocalRow
from .picture_loader import PictureModels

_CAPTIONERS = ("BlipForConditionalGeneration", "Blip2ForConditionalGeneration", "VisionEncoderDecoderModel", "GitForCausalLM")
_TWO_TOWERS = Transformers(
    autos=("AutoModelForZeroShotImageClassification",),
    parts=("tokenizer", "image_processor"),
    architectures=("CLIPModel", "ChineseCLIPModel", "MetaClip2Model", "SiglipModel"),
    half=True,
)
"""Models with a part for pictures and a part for texts whose vectors are compared."""

_NAMED_CLASSES = LocalRow(
    task="image-classification",
    function="vision.classification:image_classification",
    loaders=(
        Transformers(
            autos=("AutoModelForImageClassification",),
            parts=("image_processor",),
            architectures=("*ForImageClassification", "*ForImageClassificationWithTeacher"),
            half=True,
        ),
    ),
)
_DETECTION = LocalRow(
    task="object-detection",
    function="vision.detection:object_detection",
    loaders=(Transformers(autos=("AutoModelForObjectDetection",), parts=("image_processor",), architectures=("*ForObjectDetection",)),),
)
_SEGMENTATION = LocalRow(
    task="image-segmentation",
    function="vision.segmentation:image_segmentation",
    loaders=(
        Transformers(
            autos=(
                "AutoModelForSemanticSegmentation",
                "AutoModelForUniversalSegmentation",
                "AutoModelForInstanceSegmentation",
                "AutoModelForImageSegmentation",
            ),
            parts=("image_processor",),
            architectures=("*ForSemanticSegmentation", "*ForUniversalSegmentation", "*ForInstanceSegmentation", "*ForSegmentation"),
        ),
    ),
)
_DEPTH = LocalRow(
    task="depth-estimation",
    function="vision.depth:depth_estimation",
    loaders=(Transformers(autos=("AutoModelForDepthEstimation",), parts=("image_processor",), architectures=("*ForDepthEstimation",)),),
)
_CAPTION = LocalRow(
    task="image-to-text",
    function="vision.captions:image_to_text",
    loaders=(
        Transformers(
            autos=("AutoModelForImageTextToText",),
            parts=("tokenizer", "image_processor"),
            architectures=_CAPTIONERS,
            half=True,
        ),
    ),
)
_CONVERSATION = LocalRow(
    task="image-text-to-text",
    function="vision.questions:image_text_to_text",
    loaders=(
        Transformers(
            autos=("AutoModelForImageTextToText",),
            parts=("processor",),
            architectures=("*ForConditionalGeneration", "*ForVisionText2Text", "*ForCausalLM"),
            half=True,
        ),
    ),
)
_QUESTION = LocalRow(
    task="visual-question-answering",
    function="vision.questions:visual_question_answering",
    loaders=(
        Transformers(
            autos=("AutoModelForVisualQuestionAnswering",),
            parts=("processor",),
            architectures=("*ForQuestionAnswering", "Blip2ForConditionalGeneration"),
        ),
    ),
)
_DOCUMENT = LocalRow(
    task="document-question-answering",
    function="vision.documents:document_question_answering",
    loaders=(
        Transformers(autos=(), classes=("LayoutLMForQuestionAnswering",), parts=("tokenizer",), architectures=()),
        Transformers(
            autos=("AutoModelForImageTextToText",), parts=("tokenizer", "image_processor"), architectures=("VisionEncoderDecoderModel",)
        ),
    ),
)
_NAMED_LABELS = LocalRow(
    task="zero-shot-image-classification",
    function="vision.classification:zero_shot_image_classification",
    loaders=(_TWO_TOWERS,),
)
_NAMED_OBJECTS = LocalRow(
    task="zero-shot-object-detection",
    function="vision.detection:zero_shot_object_detection",
    loaders=(
        Transformers(
            autos=("AutoModelForZeroShotObjectDetection",),
            parts=("tokenizer", "image_processor"),
            architectures=("OwlViTForObjectDetection", "Owlv2ForObjectDetection"),
        ),
        Transformers(
            autos=("AutoModelForZeroShotObjectDetection",),
            parts=("processor",),
            architectures=("GroundingDinoForObjectDetection", "MMGroundingDinoForObjectDetection"),
        ),
    ),
)
_MASKS = LocalRow(
    task="mask-generation",
    function="vision.masks:mask_generation",
    loaders=(Transformers(autos=("AutoModelForMaskGeneration",), parts=("image_processor",), architectures=("SamModel",)),),
)
_FEATURES = LocalRow(
    task="image-feature-extraction",
    function="vision.features:image_feature_extraction",
    loaders=(
        PictureModels(
            autos=("AutoModelForZeroShotImageClassification", "AutoModel"),
            parts=("image_processor",),
            architectures=("*Model",),
            may_miss=("*pooler.*",),
            half=True,
        ),
    ),
)
_KEYPOINTS = LocalRow(
    task="keypoint-detection",
    function="vision.keypoints:keypoint_detection",
    loaders=(
        Transformers(
            autos=("AutoModelForPoseEstimation",),
            parts=("image_processor",),
            architectures=("VitPoseForPoseEstimation",),
            packages=("torch", "transformers", "scipy"),
        ),
        Transformers(
            autos=("AutoModelForKeypointDetection",), parts=("image_processor",), architectures=("SuperPointForKeypointDetection",)
        ),
    ),
)
_RETRIEVAL = LocalRow(
    task="visual-document-retrieval",
    function="vision.retrieval:visual_document_retrieval",
    loaders=(
        Transformers(
            autos=(),
            classes=("ColPaliForRetrieval", "ColQwen2ForRetrieval", "ColModernVBertForRetrieval"),
            parts=("processor",),
            architectures=(),
            half=True,
        ),
        _TWO_TOWERS,
    ),
)

ROWS: tuple[LocalRow, ...] = (
    _NAMED_CLASSES,
    _DETECTION,
    _SEGMENTATION,
    _DEPTH,
    _CAPTION,
    _CONVERSATION,
    _QUESTION,
    _DOCUMENT,
    _NAMED_LABELS,
    _NAMED_OBJECTS,
    _MASKS,
    _FEATURES,
    _KEYPOINTS,
    _RETRIEVAL,
)
