"""What users of the libraries would write for each Hub task, as short as it can honestly be: the other side of `benchmarks/experts.py`.

Each function gets a loaded model, the inputs of the task (files as Artifacts, which it opens as anybody would: PIL, soundfile, PyAV) and
what our side asks of `generate` (lengths, beams, language), so that both write as much. It gives back about what the task asks for; files
as bytes. It checks nothing, cuts long texts off, and knows only the kinds of models that it is for.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.by_hand import diffusion, sound, text, vision
from benchmarks.by_hand.opening import ByHand, Inputs

__all__ = ["BY_HAND", "ByHand", "Inputs"]

BY_HAND: Mapping[str, ByHand] = {
    "text-classification--bert": text.text_classification,
    "zero-shot-classification--bert-nli": text.zero_shot_classification,
    "token-classification--bert": text.token_classification,
    "question-answering--bert": text.question_answering,
    "table-question-answering--tapas": text.table_question_answering,
    "multiple-choice--bert": text.multiple_choice,
    "translation--t5": text.translation,
    "translation--marian": text.translation,
    "summarization--t5": text.summarization,
    "text-generation--gpt2-chat": text.text_generation,
    "text-generation--t5": text.text_generation,
    "fill-mask--bert-for-masks": text.fill_mask,
    "table-to-text--t5": text.described_table,
    "tabular-to-text--t5": text.described_table,
    "feature-extraction--sentence-transformer": text.embedding,
    "feature-extraction--bert": text.mean_embedding,
    "sentence-similarity--sentence-transformer": text.sentence_similarity,
    "text-ranking--cross-encoder": text.cross_ranking,
    "text-ranking--sentence-transformer": text.retrieval,
    "text-retrieval--sentence-transformer": text.retrieval,
    "image-classification--vit": vision.image_classification,
    "object-detection--yolos": vision.object_detection,
    "object-detection--detr": vision.object_detection,
    "image-segmentation--segformer": vision.image_segmentation,
    "image-segmentation--maskformer": vision.image_segmentation,
    "depth-estimation--dpt": vision.depth_estimation,
    "image-feature-extraction--vit": vision.vit_features,
    "image-feature-extraction--clip": vision.clip_features,
    "keypoint-detection--vitpose": vision.joints,
    "keypoint-detection--superpoint": vision.marks,
    "mask-generation--sam-points": vision.mask_at_points,
    "zero-shot-image-classification--clip": vision.zero_shot_image_classification,
    "zero-shot-object-detection--owlvit": vision.zero_shot_object_detection,
    "image-to-text--blip": vision.image_to_text,
    "image-to-text--trocr": vision.image_to_text,
    "image-text-to-text--llava": vision.image_text_to_text,
    "visual-question-answering--vilt": vision.chosen_answer,
    "visual-question-answering--blip": vision.written_answer,
    "document-question-answering--donut": vision.donut_answer,
    "visual-document-retrieval--colpali": vision.late_retrieval,
    "visual-document-retrieval--clip": vision.clip_retrieval,
    "automatic-speech-recognition--wav2vec2-ctc": sound.speech_recognition,
    "automatic-speech-recognition--whisper": sound.speech_recognition,
    "audio-classification--wav2vec2": sound.audio_classification,
    "audio-classification--ast": sound.audio_classification,
    "voice-activity-detection--wav2vec2-frames": sound.voice_activity,
    "text-to-speech--vits": sound.vits_speech,
    "text-to-speech--speecht5": sound.speecht5_speech,
    "audio-to-audio--speecht5": sound.speech_to_speech,
    "text-to-audio--musicgen": sound.music,
    "video-classification--videomae": sound.video_classification,
    "audio-text-to-text--qwen2-audio": vision.conversation,
    "video-text-to-text--idefics3": vision.conversation,
    "any-to-any--idefics3": vision.conversation,
    "text-to-image--stable-diffusion": diffusion.made_picture,
    "text-to-image--flux": diffusion.made_picture,
    "unconditional-image-generation--ddpm": diffusion.random_picture,
    "image-to-image--stable-diffusion": diffusion.changed_picture,
    "image-to-image--swin2sr": diffusion.enlarged_picture,
    "text-to-video--animate-diff": diffusion.made_video,
    "image-to-video--stable-video": diffusion.made_video,
    "image-text-to-video--pia": diffusion.made_video,
    "video-to-video--animate-diff": diffusion.changed_video,
    "image-text-to-image--stable-diffusion": diffusion.changed_picture,
    "tabular-classification--pipeline": text.predictions,
    "tabular-regression--columns": text.predictions,
    "time-series-forecasting--patch-tst": text.forecast,
}
"""By id of the case (`task--kind`): every task once, some with two kinds of models."""
