"""Makes the small inputs of the examples: pictures, texts and a recording.

    python examples/make_inputs.py [DIR]

writes receipt.png, notice.png, scan.png, article.txt, report.txt, letter.txt, sentences.txt, recording.wav and recording.json
into DIR, by default examples/inputs. Needs Pillow, numpy and espeakng-loader. The same versions of these give the same files.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import textwrap
import wave
from pathlib import Path
from typing import Any

import espeakng_loader  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

ITEMS = (
    ("Rye bread 750 g", "3.20"),
    ("Goat cheese", "5.75"),
    ("Apples 1.2 kg", "2.88"),
    ("Coffee beans 500 g", "9.40"),
    ("Dish soap lemon", "2.15"),
)

NOTICE = (
    "CITY LIBRARY",
    "Closed on Monday.",
    "Please use the side entrance",
    "in Mill Lane from Tuesday on.",
    "Books can be returned at any time",
    "in the box next to the door.",
)

SCAN = (
    "Rosa Lindqvist",
    "14 Heron Street, Port Alder",
    "",
    "6 May 2025",
    "",
    "Dear Brightwater Kettles,",
    "",
    "I am writing to complain about the electric kettle that I bought from your shop in March. After three weeks the lid "
    "broke off, and since then hot water runs down the handle. Twice I have nearly burned my hand.",
    "",
    "I have called your service line four times. Each time I was promised a new lid, and nothing has come. The last person "
    "I spoke to was rude and hung up on me.",
    "",
    "The young man in the shop was kind and did his best, I must say. All the same I am very disappointed. Please refund the "
    "price of 49 euros within two weeks, or I will take the matter to the consumer office.",
    "",
    "Yours faithfully,",
    "Rosa Lindqvist",
)

ARTICLE = """\
Port Alder opens its first tram line after nine years of building

Thousands of people lined the harbour road of Port Alder on Saturday to see the city's first tram leave the fish market. The
blue and white cars now run from the old harbour to the university hospital, a distance of 11 kilometres with 17 stops. A ride
from end to end takes 29 minutes, about half as long as the bus that it replaces.

The line was planned in 2012 and should have opened four years ago. Work stopped for eighteen months when diggers came upon the
wooden piles of a medieval quay below Customs Square. Archaeologists recovered two boats and more than 600 coins, which will be
shown in the city museum from next spring. The find, and the rising price of steel, drove the cost from 310 to 448 million
crowns. The state pays 60 per cent of the sum, the city the rest.

Mayor Ingrid Salvesen called the opening "a day that our grandchildren will thank us for". She said that the trams would take
about 14,000 car journeys a day off the roads, and that the power for them comes from the wind farm on Gull Point. Trams run
every seven minutes at daytime and every quarter of an hour until one o'clock at night. Until the end of the month all rides
are free; after that a single ticket costs 32 crowns.

Not everybody is pleased. Shopkeepers in Rope Street say they lost up to a third of their trade while the road was closed, and
that the help the city paid came too late. "Two of my neighbours gave up before the first rail was down," said Tomas Weck, who
sells paint and tools there. Cyclists complain that the rails are set at a dangerous angle at the corner of Mill Lane, where
three riders fell during the test runs. The operator, Alder Lines, has promised to fit rubber strips at that corner in autumn.

A second line to the northern suburbs is already drawn on the map. The city council will vote on it in November. If it agrees,
building could begin in two years' time.
"""

REPORT = """\
Heron Valley Nature Trust: annual report 2024

Summary

The Heron Valley Nature Trust looks after nine reserves with 1,340 hectares of marsh, meadow and woodland between Port Alder
and the hills of Stenmoor. In 2024 some 58,000 people visited our reserves, 6,000 more than the year before. Bitterns bred at
Long Mere for the first time since 1987. The year was dry until August and very wet afterwards, and a flood in October closed
the boardwalk at Long Mere for five weeks.

Finances

Our income came to 2.14 million euros, up from 1.98 million in 2023. Membership fees brought 46 per cent of it, grants 31 per
cent, gifts and legacies 15 per cent, and the shops and tea rooms 8 per cent. We spent 2.06 million euros, so that a surplus of
80,000 euros went into the reserve fund, which now stands at 610,000 euros. The largest single expense was the purchase of 42
hectares of wet meadow at Crane Farm for 385,000 euros. Repairs after the October flood cost 73,000 euros; the insurance paid
50,000 of that.

Staffing

At the end of the year the trust employed 34 people, five of them part-time. Four colleagues left and six joined us. We filled
the post of education officer, which had been vacant for a year, with Miriam Oduya. Wages rose by 3.5 per cent in April. Staff
were absent through illness for 6.2 days on average, one day fewer than in 2023. In the yearly survey 81 per cent said they
would recommend the trust as a place to work, but many asked for better equipment and for more time to train.

Volunteers

412 volunteers gave 19,600 hours of their time, which is the work of about eleven full-time jobs. They counted birds, mended
fences, led 140 guided walks and ran the Saturday club for children. We lost some older volunteers after the flood, and it has
become harder to find people who can help on weekdays. A new scheme with Port Alder College, in which students earn credits for
work in the reserves, brought in 37 young helpers by December.

Energy

The solar panels on the roof of the visitor centre produced 48,000 kilowatt hours, 71 per cent of the electricity that we used.
A heat pump replaced the oil boiler at Stenmoor House in June and has cut the heating bill there by a third. Two of our five
vans are now electric. Altogether our emissions fell by 22 per cent compared with 2023. The remaining oil boiler, at Long Mere,
will be taken out in 2026.

Outlook

In 2025 we will raise the boardwalk at Long Mere by half a metre, so that it stays open when the water is high. The ditches at
Crane Farm will be blocked to make the meadow wet again. We expect income to stay level, because two large grants come to an
end in summer. A fund-raising campaign for a new bird hide at Gull Point begins in March; its target is 120,000 euros.
"""

LETTER = """\
Dear Sir or Madam,

On 3 March I ordered a garden table from your web shop, order number 48213. I was told it would arrive within five working
days. Today is 2 April, and I am still waiting.

On the parcel page the table has been "on its way" for three weeks. The first time I called, I was told that the van had broken
down. The second time nobody knew anything about a van. On Saturday I stayed at home all day because a driver had been
announced between nine and six, but he didn't come, and he did not leave a card either.

I have nothing against the table, which a friend of mine owns and is fond of, and the amount you took from my account was
correct. I would only like to have it here before my daughter's birthday on 12 April. Please let me know by Friday on which day
it will be brought, and at what hour.

Yours sincerely,
Edwin Marlow
"""

SENTENCES = """\
The swimming pool opens at seven in the morning on weekdays and at nine on Sundays.
The library lends up to twelve books for four weeks.
Dogs must be kept on a lead in the town park.
A ticket for the tram costs 32 crowns.
The town hall was built in 1874 by Anders Holm.
Old batteries can be handed in at the recycling yard in Dock Road.
The market square is closed to cars on Saturdays.
Swimming lessons for children are given by the rowing club.
"""

SPOKEN = ("The library is closed on Monday and opens again on Tuesday", "Please use the side entrance next to the old post office")
PAUSES = (1.0, 1.5, 1.0)
RATE = 16000

Floats = NDArray[np.float64]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font(size: float) -> Font:
    return ImageFont.load_default(size)


def noisy(image: Image.Image, seed: int, strength: float, levels: int) -> Image.Image:
    """The picture with even noise on it, and with few colours, so that the file stays small."""
    pixels = np.asarray(image, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0, strength, pixels.shape[:2])
    if pixels.ndim == 3:
        noise = noise[:, :, np.newaxis]
    step = 256 / levels
    steps = np.clip(np.floor((pixels + noise) / step), 0, levels - 1)
    return Image.fromarray((steps * step + step / 2).astype(np.uint8))


def centred(draw: ImageDraw.ImageDraw, width: int, y: int, text: str, face: Font, ink: str) -> None:
    draw.text(((width - draw.textlength(text, font=face)) / 2, y), text, font=face, fill=ink)


def receipt() -> Image.Image:
    width, height, left, right, ink = 700, 1000, 70, 630, "#26231f"
    image = Image.new("RGB", (width, height), "#f6f1e4")
    draw = ImageDraw.Draw(image)

    def row(y: int, name: str, price: str, face: Font) -> None:
        draw.text((left, y), name, font=face, fill=ink)
        draw.text((right - draw.textlength(price, font=face), y), price, font=face, fill=ink)

    centred(draw, width, 50, "GREEN CORNER MARKET", font(42), ink)
    centred(draw, width, 110, "7 Harbour Road, Port Alder", font(26), ink)
    centred(draw, width, 146, "Tel. 0555 014 220", font(26), ink)
    row(215, "Date: 17 May 2025", "16:42", font(28))
    row(255, "Receipt no. 20391", "Till 3", font(28))
    draw.line((left, 310, right, 310), fill=ink, width=2)
    y = 335
    for name, price in ITEMS:
        row(y, name, price, font(32))
        y += 54
    draw.line((left, y + 8, right, y + 8), fill=ink, width=2)
    cents = sum(round(float(price) * 100) for _, price in ITEMS)
    vat = round(cents / 10)
    row(y + 32, "Subtotal", f"{cents / 100:.2f}", font(32))
    row(y + 82, "VAT 10%", f"{vat / 100:.2f}", font(32))
    row(y + 142, "TOTAL EUR", f"{(cents + vat) / 100:.2f}", font(44))
    row(y + 212, "Paid by card", f"{(cents + vat) / 100:.2f}", font(28))
    centred(draw, width, 895, "Thank you for your visit!", font(28), ink)
    return noisy(image, 1, 2.0, 16)


def notice() -> Image.Image:
    width, height, ink = 900, 640, "#1d2a44"
    image = Image.new("RGB", (width, height), "#c9b18b")
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, width - 40, height - 40), fill="#fbfaf4", outline="#8d8672", width=3)
    for x, y in ((62, 62), (width - 62, 62), (62, height - 62), (width - 62, height - 62)):
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill="#b3402f")
    centred(draw, width, 85, NOTICE[0], font(58), ink)
    for number, line in enumerate(NOTICE[1:]):
        centred(draw, width, 185 + 72 * number, line, font(42), ink)
    return noisy(image, 2, 2.0, 16)


def scan() -> Image.Image:
    width, height = 1000, 1300
    page = Image.new("L", (width, height), 236)
    draw = ImageDraw.Draw(page)
    y = 110
    for paragraph in SCAN:
        for line in textwrap.wrap(paragraph, 62) or [""]:
            draw.text((110, y), line, font=font(27), fill=40)
            y += 42 if line else 26
    page = page.rotate(-2.4, Image.Resampling.BICUBIC, fillcolor=205)
    return noisy(page, 3, 9.0, 12)


def synthesise(texts: tuple[str, ...]) -> tuple[list[Floats], int]:
    """Speech for each text, without silence around it, and the sampling rate. eSpeak NG: see its speak_lib.h."""
    lib = ctypes.CDLL(espeakng_loader.get_library_path())
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    unsigned, size = ctypes.c_uint, ctypes.c_size_t
    lib.espeak_Synth.argtypes = [ctypes.c_void_p, size, unsigned, ctypes.c_int, unsigned, unsigned, ctypes.c_void_p, ctypes.c_void_p]
    lib.espeak_SetSynthCallback.argtypes = [callback]
    lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    synchronous, do_not_exit, characters, utf8 = 2, 0x8000, 1, 1
    rate = int(lib.espeak_Initialize(synchronous, 0, os.fsencode(espeakng_loader.get_data_path()), do_not_exit))
    if rate <= 0:
        raise RuntimeError(f"espeak_Initialize returned {rate}")
    chunks: list[bytes] = []

    def take(samples: Any, count: int, _events: Any) -> int:
        if count > 0 and samples:
            chunks.append(ctypes.string_at(samples, count * 2))
        return 0

    function = callback(take)
    lib.espeak_SetSynthCallback(function)
    if lib.espeak_SetVoiceByName(b"en") != 0:
        raise RuntimeError("eSpeak NG has no voice 'en'")
    spoken = []
    for text in texts:
        chunks.clear()
        data = text.encode() + b"\0"
        if lib.espeak_Synth(data, len(data), 0, characters, 0, utf8, None, None) != 0:
            raise RuntimeError("espeak_Synth failed")
        lib.espeak_Synchronize()
        samples = np.frombuffer(b"".join(chunks), "<i2").astype(np.float64) / 32768
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        spoken.append(samples[loud[0] : loud[-1] + 1])
    return spoken, rate


def resampled(samples: Floats, rate: int) -> Floats:
    count = int(len(samples) * RATE / rate)
    return np.interp(np.arange(count) * rate / RATE, np.arange(len(samples)), samples)


def recording() -> tuple[bytes, dict[str, object]]:
    """16-bit samples, and the times of the speech in seconds."""
    spoken, rate = synthesise(SPOKEN)
    parts = [np.zeros(int(PAUSES[0] * RATE))]
    segments = []
    for text, samples, pause in zip(SPOKEN, spoken, PAUSES[1:], strict=True):
        start = sum(map(len, parts))
        parts += [resampled(samples, rate) * 0.8, np.zeros(int(pause * RATE))]
        segments.append({"start": round(start / RATE, 3), "end": round((start + len(parts[-2])) / RATE, 3), "text": text})
    sound = np.concatenate(parts)
    sound += np.random.default_rng(4).normal(0, 0.0008, len(sound))
    data = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    return data, {"duration": round(len(sound) / RATE, 3), "speech": segments}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in (("receipt.png", receipt()), ("notice.png", notice()), ("scan.png", scan())):
        image.save(folder / name, optimize=True)
    for name, text in (("article.txt", ARTICLE), ("report.txt", REPORT), ("letter.txt", LETTER), ("sentences.txt", SENTENCES)):
        (folder / name).write_bytes(text.encode())
    data, times = recording()
    with wave.open(str(folder / "recording.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(data)
    (folder / "recording.json").write_bytes((json.dumps(times, indent=2) + "\n").encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "inputs")
