"""Every pipeline tag of the Hub as a row: https://huggingface.co/docs/hub/models-tasks, https://huggingface.co/tasks.

Adding a task is adding a row. Port names follow the Hub's inference API where it has the task.
"""

from __future__ import annotations

from .task import HubTask, Kind, Port, Role, TaskTable


def _in(name: str, kind: Kind, description: str, *, required: bool = True, many: bool = False) -> Port:
    return Port(name=name, kind=kind, required=required, many=many, description=description)


def _ask(name: str, kind: Kind, description: str, *, required: bool = True, many: bool = False) -> Port:
    return Port(name=name, kind=kind, required=required, many=many, description=description, role=Role.INSTRUCTION)


def _option(name: str, kind: Kind, description: str) -> Port:
    return Port(name=name, kind=kind, required=False, description=description, role=Role.OPTION)


def _out(name: str, kind: Kind, description: str, *, many: bool = False) -> Port:
    return Port(name=name, kind=kind, many=many, description=description)


_TEXT = _in("text", Kind.TEXT, "the text")
_IMAGE = _in("image", Kind.IMAGE, "the picture")
_AUDIO = _in("audio", Kind.AUDIO, "the recording")
_VIDEO = _in("video", Kind.VIDEO, "the video")
_TABLE = _in("table", Kind.TABLE, "the rows")
_QUESTION = _ask("question", Kind.TEXT, "the question to answer")
_PROMPT = _ask("prompt", Kind.TEXT, "what to make, in words")
_CHOICES = _ask("candidate_labels", Kind.LABELS, "the labels to choose from", many=False)
_LABELS = _out("labels", Kind.LABELS, "labels with scores in 0..1, best first")
_ANSWER = _out("answer", Kind.TEXT, "the answer")
_WORDS = _out("text", Kind.TEXT, "the text")
_PICTURE = _out("image", Kind.IMAGE, "the picture")
_CLIP = _out("video", Kind.VIDEO, "the video")
_SOUND = _out("audio", Kind.AUDIO, "the recording")
_MESH = _out("object3d", Kind.OBJECT3D, "the 3D object")
_BOXES = _out("objects", Kind.JSON, "objects with label, score and box in pixels")
_VECTOR = _out("embedding", Kind.JSON, "the feature vector, a list of numbers")

_TEXT_TASKS = (
    ("text-classification", "Say which class a text belongs to, such as whether a review is positive or negative.", (_TEXT,), (_LABELS,)),
    (
        "token-classification",
        "Find and tag words in a text, such as names of people, places and organisations, or parts of speech.",
        (_TEXT,),
        (_out("entities", Kind.JSON, "spans with label, score, start and end in characters"),),
    ),
    ("table-question-answering", "Answer a question about the contents of a table.", (_QUESTION, _TABLE), (_ANSWER,)),
    (
        "question-answering",
        "Answer a question from a given text, article or report.",
        (_QUESTION, _in("context", Kind.TEXT, "the text that holds the answer")),
        (_ANSWER, _out("score", Kind.NUMBER, "how well the answer fits, 0..1")),
    ),
    (
        "zero-shot-classification",
        "Decide which of several labels named in the request fits a text best.",
        (_TEXT, _CHOICES),
        (_LABELS,),
    ),
    (
        "translation",
        "Translate a text from one language into another.",
        (
            _TEXT,
            _option("source_language", Kind.TEXT, "language of the text"),
            _option("target_language", Kind.TEXT, "language to translate into"),
        ),
        (_WORDS,),
    ),
    (
        "summarization",
        "Shorten a long text or article to a summary of its main points.",
        (_TEXT, _option("max_sentences", Kind.NUMBER, "how many sentences at most")),
        (_out("summary", Kind.TEXT, "the summary"),),
    ),
    ("feature-extraction", "Turn a text into an embedding vector of numbers.", (_TEXT,), (_VECTOR,)),
    (
        "text-generation",
        "Write new text, such as a story, a poem, an email or code, from an instruction.",
        (_PROMPT, _in("context", Kind.TEXT, "text to work from", required=False)),
        (_WORDS,),
    ),
    (
        "fill-mask",
        "Fill in the missing word in a sentence that has a blank or mask.",
        (_TEXT,),
        (_out("labels", Kind.LABELS, "words for the mask with scores in 0..1, best first"),),
    ),
    (
        "sentence-similarity",
        "Measure how similar in meaning two or more sentences are.",
        (
            _in("source_sentence", Kind.TEXT, "the sentence to compare with"),
            _in("sentences", Kind.TEXT, "the sentences to compare", many=True),
        ),
        (_out("scores", Kind.JSON, "one cosine similarity in -1..1 for each sentence, in their order"),),
    ),
    (
        "text-ranking",
        "Rank several passages or sentences by how well they answer or match a question or query.",
        (_ask("query", Kind.TEXT, "the question or query"), _in("documents", Kind.TEXT, "the texts to put in order", many=True)),
        (
            _out("best", Kind.TEXT, "the text that fits best"),
            _out("ranking", Kind.JSON, "texts with index and score, best first"),
        ),
    ),
    (
        "text-retrieval",
        "Search a collection of documents for the ones that are relevant to a query.",
        (_ask("query", Kind.TEXT, "what to look for"), _in("documents", Kind.TEXT, "the collection", many=True)),
        (_out("documents", Kind.JSON, "texts with index and score, best first"),),
    ),
    (
        "multiple-choice",
        "Pick the right one of several given answers to an exam question.",
        (
            _QUESTION,
            _ask("choices", Kind.LABELS, "the answers to choose from"),
            _in("context", Kind.TEXT, "text to judge by", required=False),
        ),
        (_LABELS,),
    ),
    ("table-to-text", "Describe the contents of a table in sentences.", (_TABLE,), (_WORDS,)),
)

_AUDIO_TASKS = (
    (
        "text-to-speech",
        "Read a text aloud as spoken audio.",
        (_TEXT, _option("language", Kind.TEXT, "language of the text, as in 'en' or 'de'")),
        (_SOUND,),
    ),
    ("text-to-audio", "Make music or sound effects from a description.", (_PROMPT,), (_SOUND,)),
    ("automatic-speech-recognition", "Transcribe speech in a recording to text.", (_AUDIO,), (_WORDS,)),
    (
        "audio-to-audio",
        "Change a recording: remove noise, separate speakers or instruments, convert a voice.",
        (_AUDIO,),
        (_SOUND,),
    ),
    (
        "audio-classification",
        "Say what kind of sound, music, emotion or language a recording holds.",
        (_AUDIO, _ask("candidate_labels", Kind.LABELS, "labels to choose from, for models that take any", required=False)),
        (_LABELS,),
    ),
    (
        "voice-activity-detection",
        "Find the times at which somebody speaks in a recording.",
        (_AUDIO,),
        (_out("segments", Kind.JSON, "stretches of speech with start and end in seconds"),),
    ),
)

_VISION_TASKS = (
    ("depth-estimation", "Estimate how far away every point of a picture is.", (_IMAGE,), (_out("depth", Kind.IMAGE, "the depth map"),)),
    ("image-classification", "Say what a picture shows as one of a fixed set of classes.", (_IMAGE,), (_LABELS,)),
    ("object-detection", "Find and count the objects in a picture and where they are.", (_IMAGE,), (_BOXES,)),
    (
        "image-segmentation",
        "Divide a picture into regions and label each pixel.",
        (_IMAGE,),
        (_out("masks", Kind.IMAGE, "one mask for each region", many=True), _out("regions", Kind.JSON, "label and score of each region")),
    ),
    (
        "text-to-image",
        "Paint, draw or generate a new picture from a description in words.",
        (_PROMPT, _option("negative_prompt", Kind.TEXT, "what to keep out")),
        (_PICTURE,),
    ),
    (
        "image-to-text",
        "Read the words printed in a picture, scan or photo as text, or describe what the picture shows.",
        (_IMAGE,),
        (_WORDS,),
    ),
    (
        "image-to-image",
        "Change a picture: edit it, restyle it, sharpen it, colour it, remove something from it.",
        (_IMAGE, _ask("prompt", Kind.TEXT, "what to change", required=False)),
        (_PICTURE,),
    ),
    (
        "image-to-video",
        "Bring a still picture to life as a short video.",
        (_IMAGE, _ask("prompt", Kind.TEXT, "how it moves", required=False)),
        (_CLIP,),
    ),
    ("unconditional-image-generation", "Make a random picture without any description.", (), (_PICTURE,)),
    ("video-classification", "Say what action or scene a video shows.", (_VIDEO,), (_LABELS,)),
    ("text-to-video", "Make a video from a description in words.", (_PROMPT,), (_CLIP,)),
    (
        "video-to-video",
        "Change a video: restyle it, sharpen it, edit it.",
        (_VIDEO, _ask("prompt", Kind.TEXT, "what to change", required=False)),
        (_CLIP,),
    ),
    (
        "zero-shot-image-classification",
        "Decide which of several labels named in the request fits a picture best.",
        (_IMAGE, _CHOICES),
        (_LABELS,),
    ),
    (
        "mask-generation",
        "Cut out the objects of a picture as masks.",
        (_IMAGE, _ask("points", Kind.JSON, "points inside the object, [[x, y], …] in pixels", required=False)),
        (_out("masks", Kind.IMAGE, "the masks", many=True),),
    ),
    (
        "zero-shot-object-detection",
        "Find objects in a picture that are named in the request.",
        (_IMAGE, _CHOICES),
        (_BOXES,),
    ),
    ("image-feature-extraction", "Turn a picture into an embedding vector of numbers.", (_IMAGE,), (_VECTOR,)),
    (
        "keypoint-detection",
        "Find key points in a picture, such as the joints of a body or the corners of a face.",
        (_IMAGE,),
        (_out("keypoints", Kind.JSON, "points with x and y in pixels, and scores"),),
    ),
)

_MULTIMODAL_TASKS = (
    (
        "audio-text-to-text",
        "Answer a question or follow an instruction about a recording.",
        (_AUDIO, _QUESTION),
        (_WORDS,),
    ),
    (
        "image-text-to-text",
        "Follow an instruction about a picture and answer at length, in conversation.",
        (_IMAGE, _PROMPT),
        (_WORDS,),
    ),
    (
        "image-text-to-image",
        "Make a new picture from a given picture and an instruction together.",
        (_IMAGE, _PROMPT),
        (_PICTURE,),
    ),
    (
        "image-text-to-video",
        "Make a video from a given picture and a description together.",
        (_IMAGE, _PROMPT),
        (_CLIP,),
    ),
    (
        "visual-question-answering",
        "Answer a question about what can be seen in a photo.",
        (_IMAGE, _QUESTION),
        (_ANSWER,),
    ),
    (
        "document-question-answering",
        "Answer a question about a scanned document, invoice, receipt or form.",
        (_in("image", Kind.IMAGE, "the scanned page"), _QUESTION),
        (_ANSWER, _out("score", Kind.NUMBER, "how well the answer fits, 0..1")),
    ),
    (
        "visual-document-retrieval",
        "Search scanned pages for the ones that are relevant to a query.",
        (_ask("query", Kind.TEXT, "what to look for"), _in("images", Kind.IMAGE, "the pages", many=True)),
        (_out("documents", Kind.JSON, "pages with index and score, best first"),),
    ),
    ("video-text-to-text", "Answer a question or follow an instruction about a video.", (_VIDEO, _QUESTION), (_WORDS,)),
    (
        "any-to-any",
        "Handle a conversation that mixes text, pictures, sound and video with one model.",
        (
            _PROMPT,
            _in("image", Kind.IMAGE, "a picture", required=False),
            _in("audio", Kind.AUDIO, "a recording", required=False),
            _in("video", Kind.VIDEO, "a video", required=False),
        ),
        (_WORDS,),
    ),
)

_TABULAR_TASKS = (
    (
        "tabular-classification",
        "Predict a class for each row of a table from its other columns.",
        (_TABLE,),
        (_out("predictions", Kind.JSON, "one class for each row"),),
    ),
    (
        "tabular-regression",
        "Predict a number, such as a price, for each row of a table.",
        (_TABLE,),
        (_out("predictions", Kind.JSON, "one number for each row"),),
    ),
    ("tabular-to-text", "Write a text from the rows of a spreadsheet.", (_TABLE,), (_WORDS,)),
    (
        "time-series-forecasting",
        "Forecast how a series of values over time goes on.",
        (
            _in("table", Kind.TABLE, "past values in order of time"),
            _option("horizon", Kind.NUMBER, "how many steps ahead"),
        ),
        (_out("forecast", Kind.JSON, "the values to come"),),
    ),
)

_OTHER_TASKS = (
    ("text-to-3d", "Make a 3D object from a description in words.", (_PROMPT,), (_MESH,), "3d"),
    ("image-to-3d", "Make a 3D object from a picture.", (_IMAGE,), (_MESH,), "3d"),
    (
        "robotics",
        "Choose a robot's next movement from what its cameras see and an instruction.",
        (_ask("instruction", Kind.TEXT, "what the robot shall do"), _in("image", Kind.IMAGE, "what the robot sees", required=False)),
        (_out("actions", Kind.JSON, "movements in order"),),
        "robotics",
    ),
    (
        "reinforcement-learning",
        "Choose the next action of an agent in a game or simulation.",
        (_in("observation", Kind.JSON, "the state of the environment"),),
        (_out("action", Kind.JSON, "the action"),),
        "robotics",
    ),
    (
        "graph-ml",
        "Predict properties of nodes, edges or molecules in a graph.",
        (_in("graph", Kind.JSON, "nodes and edges"),),
        (_out("predictions", Kind.JSON, "the predictions"),),
        "graph",
    ),
)

HUB_TASKS = TaskTable(
    [
        *(
            HubTask(name=name, summary=summary, inputs=inputs, outputs=outputs, modality=modality)
            for modality, rows in (
                ("text", _TEXT_TASKS),
                ("audio", _AUDIO_TASKS),
                ("vision", _VISION_TASKS),
                ("multimodal", _MULTIMODAL_TASKS),
                ("tabular", _TABULAR_TASKS),
            )
            for name, summary, inputs, outputs in rows
        ),
        *(HubTask(name=n, summary=s, inputs=i, outputs=o, modality=m) for n, s, i, o, m in _OTHER_TASKS),
    ]
)
"""Every task of the Hub, by name."""
