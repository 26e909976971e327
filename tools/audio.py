"""Recordings of any common format as a stream of samples, and samples as wav files. With soundfile and PyAV (extra `media` or `local`).

`media.load_wav` reads uncompressed wav alone and needs numpy only.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .artifacts import Artifact
from .containers import import_av, open_file, opened
from .errors import MediaError, MissingExtraError
from .media import HIGHEST_RATE, LOWEST_RATE, MAX_SECONDS, load_wav

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

_BLOCK_SECONDS = 1.0
_MOST_CHANNELS = 64
_TAIL_SECONDS = 0.1
_READ_BY_SOUNDFILE = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg")


def read_blocks(artifact: Artifact, *, rate: int) -> Iterator[Samples]:
    """A recording bit by bit: about a second of mono samples at a time, float32, at `rate` Hz. Only that much of it is in memory.

    Channels are averaged; the values are in [-1, 1], except in files of floating-point numbers that go beyond it.
    Wav, flac, ogg and mp3 are read by soundfile, all else (m4a, webm, …) by PyAV.

    Args:
        artifact: a recording, or a video with sound.
        rate: samples a second that are wanted.

    Raises:
        MediaError: no recording, a damaged one, one without samples, with samples that are no numbers, longer than four hours, or
            sampled at less than 1,000 or more than 768,000 Hz; the first when reading begins, others when it comes so far.
        MissingExtraError: soundfile or PyAV is not installed.
    """
    with _source(artifact) as (given, blocks):
        if not LOWEST_RATE <= given <= HIGHEST_RATE:
            raise MediaError(
                f"The recording {artifact.name!r} is sampled at {given:,} Hz; {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz are read.",
                remedy="Convert it to 16,000 Hz.",
            )
        yield from _resampled(_checked(artifact, blocks, given), given, rate)


def read_whole(artifact: Artifact, *, rate: int) -> Samples:
    """A recording as a whole, as `read_blocks` gives it. Where its packages are not installed, uncompressed wav is read without them.

    Raises as `read_blocks` does; ExpertError for a wav file that is too large to be read at once without them.
    """
    import numpy as np

    try:
        return np.concatenate(list(read_blocks(artifact, rate=rate)))
    except MissingExtraError:
        if artifact.media_type != "audio/wav":
            raise
        return load_wav(artifact, rate=rate)


def read_windows(artifact: Artifact, *, rate: int, seconds: float) -> Iterator[Samples]:
    """A recording in windows of `seconds`, one after the other without overlap; the last one is shorter. See `read_blocks`."""
    import numpy as np

    size = max(1, round(seconds * rate))
    held: list[Samples] = []
    count = 0
    for block in read_blocks(artifact, rate=rate):
        held.append(block)
        count += len(block)
        if count >= size:
            joined = np.concatenate(held)
            whole = count // size * size
            yield from joined[:whole].reshape(-1, size)
            held, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(held)


def float_wav_bytes(samples: NDArray[Any], *, rate: int) -> bytes:
    """A wav file of 16 bits.

    Args:
        samples: floating-point numbers in [-1, 1], shape (samples,) or (samples, channels); what goes beyond is scaled down as a whole, so
            that it does not crackle; what is no number (NaN, infinity) becomes silence.
        rate: samples a second.

    Raises:
        ValueError: another shape.
    """
    import numpy as np

    array = np.asarray(samples, dtype=np.float32)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not 1 <= array.shape[1] <= _MOST_CHANNELS:
        raise ValueError(f"samples must have the shape (samples,) or (samples, channels), not {np.shape(samples)}")
    array = np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
    array = array / max(1.0, float(np.abs(array).max(initial=0.0)))
    out = io.BytesIO()
    with wave.open(out, "wb") as f:
        f.setnchannels(array.shape[1])
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes((array * 32767).round().astype("<i2").tobytes())
    return out.getvalue()


@contextmanager
def _source(artifact: Artifact) -> Iterator[tuple[int, Iterator[Samples]]]:
    """The rate of a recording and its samples in blocks, mono."""
    if artifact.media_type in _READ_BY_SOUNDFILE:
        soundfile = _soundfile()
        with open_file(artifact) as f:
            try:
                sound = soundfile.SoundFile(f)
            except soundfile.LibsndfileError:  # such as ADPCM in wav of a kind that it does not know
                sound = None
            if sound is not None:
                with sound:
                    yield sound.samplerate, _by_soundfile(artifact, sound, soundfile.LibsndfileError)
                return
    with opened(artifact, kind="audio") as container:
        if not container.streams.audio:
            raise MediaError(f"{artifact.name!r} holds no sound.", remedy="Give a recording, or a video with sound.")
        stream = container.streams.audio[0]
        yield int(stream.rate or 0), _by_av(container, stream)


def _by_soundfile(artifact: Artifact, sound: Any, error: type[Exception]) -> Iterator[Samples]:
    size = max(1, int(sound.samplerate * _BLOCK_SECONDS))
    try:
        while len(block := sound.read(size, dtype="float32", always_2d=True)):
            yield block.mean(1)
    except error as e:
        raise MediaError(f"The recording {artifact.name!r} is damaged: {e}.", remedy="Give a whole file.") from e


def _by_av(container: Any, stream: Any) -> Iterator[Samples]:
    import numpy as np

    to_float = import_av().AudioResampler(format="fltp", rate=stream.rate)
    for frame in container.decode(stream):
        for converted in to_float.resample(frame):
            yield converted.to_ndarray().mean(0, dtype=np.float32)


def _checked(artifact: Artifact, blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
    """The same blocks, as long as nothing is wrong with them."""
    import numpy as np

    count = 0
    for block in blocks:
        if not np.isfinite(block).all():
            at = (count + int(np.flatnonzero(~np.isfinite(block))[0])) / rate
            raise MediaError(f"The recording {artifact.name!r} holds samples that are no numbers, after {at:.2f} s.", remedy="Repair it.")
        count += len(block)
        if count > MAX_SECONDS * rate:
            raise MediaError(f"The recording {artifact.name!r} is longer than {MAX_SECONDS // 3600} hours.", remedy="Cut it.")
        yield block
    if not count:
        raise MediaError(f"The recording {artifact.name!r} holds no sound (0 samples).", remedy="Give a recording that has content.")


def _resampled(blocks: Iterator[Samples], given: int, wanted: int) -> Iterator[Samples]:
    """A stream of samples at another rate, by FFmpeg's resampler, which goes on from block to block.

    A little silence is put after the end and cut off again, since the resampler gives nothing of less than it looks at at once.
    """
    import numpy as np

    if given == wanted:
        yield from blocks
        return
    av = import_av()
    resampler = av.AudioResampler(format="flt", layout="mono", rate=wanted)
    taken = made = 0

    def through(block: Samples) -> Iterator[Samples]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[None, :], dtype=np.float32), format="flt", layout="mono")
        frame.sample_rate = given
        yield from (out.to_ndarray()[0] for out in resampler.resample(frame))

    for block in blocks:
        taken += len(block)
        for out in through(block):
            made += len(out)
            yield out
    left = max(1, round(taken * wanted / given)) - made
    silence = np.zeros(round(_TAIL_SECONDS * given), np.float32)
    tail = np.concatenate([*through(silence), *(out.to_ndarray()[0] for out in resampler.resample(None))])
    yield tail[:left]


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError as e:
        raise MissingExtraError("soundfile", "media") from e
    return soundfile
