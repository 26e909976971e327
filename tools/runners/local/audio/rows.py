"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_transformers import Transformers
from ..row import LocalRow

ROWS: tuple[LocalRow, ...] = (
    LocalRow(
        task="automatic-speech-recognition",
        function="audio.recognition:speech_recognition",
        loaders=(
            Transformers(
                autos=("AutoModelForCTC", "AutoModelForSpeechSeq2Seq"),
                parts=("tokenizer", "feature_extractor"),
                architectures=(
                    "*ForCTC",
                    "Whisper*ForConditionalGeneration",
                    "Moonshine*ForConditionalGeneration",
                    "Speech2TextForConditionalGeneration",
                    "SpeechEncoderDecoderModel",
                    "SpeechT5ForSpeechToText",
                ),
                may_miss=("*.masked_spec_embed",),  # is used in training only
                half=True,
            ),
        ),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="audio-classification",
        function="audio.classification:audio_classification",
        loaders=(
            Transformers(
                autos=("AutoModelForAudioClassification",),
                parts=("feature_extractor",),
                architectures=("*ForAudioClassification", "*ForSequenceClassification"),
                may_miss=("*.masked_spec_embed",),
                half=True,
            ),
            Transformers(  # labels that the request names; in 32 bits, since cosines that differ little are multiplied by much
                autos=(),
                classes=("ClapModel",),
                parts=("tokenizer", "feature_extractor"),
                architectures=(),
                # always the same numbers, or used in training only
                may_miss=("*.position_ids", "*.token_type_ids", "*.num_batches_tracked"),
            ),
        ),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="voice-activity-detection",
        function="audio.activity:voice_activity",
        loaders=(
            Transformers(
                autos=("AutoModelForAudioFrameClassification",),
                parts=("feature_extractor",),
                architectures=("*ForAudioFrameClassification",),
                may_miss=("*.masked_spec_embed",),
            ),
        ),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="text-to-speech",
        function="audio.speech:text_to_speech",
        loaders=(
            Transformers(
                autos=("AutoModelForTextToWaveform", "AutoModelForTextToSpectrogram"),
                parts=("tokenizer",),
                architectures=("VitsModel", "SpeechT5ForTextToSpeech"),
            ),
        ),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="audio-to-audio",
        function="audio.speecht5:speech_to_speech",
        loaders=(Transformers(autos=(), classes=("SpeechT5ForSpeechToSpeech",), parts=("feature_extractor",), architectures=()),),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="text-to-audio",
        function="audio.music:music",
        loaders=(
            Transformers(autos=("AutoModelForTextToWaveform",), parts=("tokenizer",), architectures=("MusicgenForConditionalGeneration",)),
        ),
    ),
)
