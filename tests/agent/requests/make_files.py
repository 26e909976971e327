"""Makes the small files that the requests in this folder speak of, beside those in examples/inputs.

    python tests/agent/requests/make_files.py [DIR]

writes pictures, pages, sounds, videos, tables, texts and JSON into DIR, by default `files` beside this script. Only plans are scored
on them, and a planner sees no more of a file than its name and kind: so the pictures are a few flat shapes, and the sounds a sixth of
a second of tones, speech too. All are real files of their format. Needs Pillow, numpy and opencv. CC0-1.0.
"""

from __future__ import annotations

import io
import json
import sys
import wave
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

SIZE = (64, 48)
Shape = tuple[str, tuple[int, int, int, int], str]
"""`o` or `#` (ellipse, rectangle), its box in pixels, its colour."""

PICTURES: dict[str, tuple[str, list[Shape]]] = {
    "van.jpg": ("lightblue", [("#", (0, 36, 64, 48), "grey"), ("#", (8, 14, 56, 36), "white"), ("o", (14, 32, 22, 40), "black")]),
    "shelf.jpg": ("beige", [("#", (4, 8, 24, 22), "peru"), ("#", (28, 8, 48, 22), "tan"), ("#", (4, 26, 60, 30), "brown")]),
    "garden.jpg": ("skyblue", [("#", (0, 28, 64, 48), "green"), ("o", (10, 20, 18, 28), "red"), ("o", (40, 4, 54, 18), "yellow")]),
    "choir.jpg": ("maroon", [("o", (6, 8, 16, 18), "bisque"), ("o", (26, 8, 36, 18), "tan"), ("o", (46, 8, 56, 18), "peru")]),
    "wedding1958.jpg": ("dimgrey", [("o", (16, 6, 28, 18), "silver"), ("o", (36, 6, 48, 18), "silver"), ("#", (14, 18, 30, 48), "white")]),
    "frame_0001.png": ("grey", [("#", (0, 30, 64, 48), "black"), ("#", (6, 22, 24, 34), "red")]),
    "frame_0002.png": ("grey", [("#", (0, 30, 64, 48), "black"), ("#", (16, 22, 34, 34), "red")]),
    "frame_0003.png": ("grey", [("#", (0, 30, 64, 48), "black"), ("#", (26, 22, 44, 34), "red")]),
    "dog.jpg": ("lawngreen", [("o", (14, 18, 44, 36), "sienna"), ("o", (38, 10, 54, 26), "sienna"), ("o", (48, 14, 51, 17), "black")]),
    "fit.jpg": ("lavender", [("o", (26, 2, 38, 14), "bisque"), ("#", (22, 14, 42, 32), "purple"), ("#", (24, 32, 40, 48), "navy")]),
    "kitchen.jpg": ("white", [("#", (0, 26, 64, 48), "silver"), ("o", (8, 16, 26, 28), "black"), ("#", (40, 6, 58, 24), "orange")]),
    "street.jpg": ("lightblue", [("#", (0, 34, 64, 48), "grey"), ("#", (2, 6, 20, 34), "brown"), ("#", (44, 8, 48, 34), "black")]),
    "medicine.jpg": ("white", [("#", (8, 12, 56, 38), "teal"), ("#", (14, 18, 50, 24), "white")]),
}  # fmt: skip

PAGES = {
    "meme.png": "ME: one more game|ALSO ME: 4 AM",
    "page1.png": "LEASE|Rent 940 EUR|due on the 3rd",
    "page2.png": "Deposit|two months' rent|back in 60 days",
    "page3.png": "Notice period|three months|in writing",
    "form.png": "FORM K-7|Name: ______|Born: ______",
}

SOUNDS = {  # the tones in hertz, one after the other
    "voicemail.wav": (180, 220, 200),
    "call.wav": (160, 250, 140),
    "choir.wav": (262, 330, 392),
    "chan0.wav": (150, 170, 190),
    "chan1.wav": (240, 230, 210),
    "beat.wav": (60, 500, 60),
    "message.wav": (200, 260, 180),
}

VIDEOS = {"dock.mp4": "tan", "concert.mp4": "maroon", "cam7.mp4": "grey", "trick.mp4": "skyblue", "cooking.mp4": "white"}

TEXTS = {
    "orders.csv": "month,orders\n2025-01,412\n2025-02,398\n2025-03,455\n2025-04,470\n2025-05,503\n2025-06,491\n",
    "staff.csv": "name,team,hours,sick_days\nOkoro,dock,38,2\nBrandt,office,40,0\nSilva,dock,32,7\n",
    "flats.csv": "district,rooms,area_m2,floor,rent\nharbour,2,54,3,910\nmill,3,71,1,980\nhill,1,33,4,\n",
    "births.csv": "year,parish,births\n1850,Stenmoor,41\n1851,Stenmoor,38\n1852,Stenmoor,52\n",
    "sensors.csv": "ts,temp_c\n2025-06-01T00:00,18.2\n2025-06-01T01:00,17.9\n2025-06-01T02:00,17.5\n",
    "churn.csv": "customer,months,tickets,churned\n1,24,0,no\n2,3,5,yes\n3,11,2,\n",
    "matches.csv": "team,played,won,goals\nTigers,9,7,22\nOwls,9,4,13\nFoxes,9,2,8\n",
    "shifts.csv": "day,name,from,to\nMonday,Amira,8,14\nTuesday,Jonas,14,22\nFriday,Amira,16,23\n",
    "minutes.txt": "Minutes, 12 June. Okoro: the ramp at door 4 is still broken. Brandt gets two offers by Friday. Next: 19 June.\n",
    "poem.txt": "A heron stands among the reeds\nand lets the morning pass,\nhe wants no more than what he needs\nof water and of grass.\n",
    "essay.txt": "Whales are mammals. They breathe air through a blowhole and feed their calves with milk. Some of them sing for hours.\n",
    "faq.txt": "Parcels can be changed until 6 pm.\nReturns are free for 30 days.\nThe depot is shut on Sundays.\n",
}

DATA = {
    "board.json": {"board": ["X", "", "O", "", "X", "", "", "", "O"], "to_move": "X"},
    "molecule.json": {"nodes": ["C", "C", "O"], "edges": [[0, 1], [1, 2]]},
}


def picture(background: str, shapes: list[Shape]) -> Image.Image:
    """A scene of flat shapes."""
    made = Image.new("RGB", SIZE, background)
    draw = ImageDraw.Draw(made)
    for form, box, colour in shapes:
        (draw.ellipse if form == "o" else draw.rectangle)(box, fill=colour)
    return made


def page(lines: str) -> Image.Image:
    """Lines of small black print on white."""
    made = Image.new("1", (150, 60), 1)
    draw = ImageDraw.Draw(made)
    for i, line in enumerate(lines.split("|")):
        draw.text((8, 6 + 16 * i), line, fill=0)
    return made


def image_bytes(made: Image.Image, name: str) -> bytes:
    """The picture in the format that its name says."""
    out = io.BytesIO()
    if name.endswith(".jpg"):
        made.save(out, format="JPEG", quality=30, optimize=True)
    else:
        made.save(out, format="PNG", optimize=True)
    return out.getvalue()


def sound(tones: tuple[int, ...], rate: int = 3000) -> bytes:
    """Mono, 8 bit: tones of 55 ms."""
    time = np.arange(int(0.055 * rate)) / rate
    samples = np.concatenate([128 + 90 * np.sin(2 * np.pi * f * time) for f in tones])
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(samples.astype(np.uint8).tobytes())
    return out.getvalue()


def write_video(path: Path, background: str) -> None:
    """Two frames of MPEG-4 in which a ball goes to the right."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 5, SIZE)
    for x in (4, 12):
        video.write(np.asarray(picture(background, [("o", (x, 20, x + 8, 28), "blue")]))[:, :, ::-1].copy())
    video.release()


def make(folder: Path) -> None:
    """Write every file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (background, shapes) in PICTURES.items():
        (folder / name).write_bytes(image_bytes(picture(background, shapes), name))
    for name, lines in PAGES.items():
        (folder / name).write_bytes(image_bytes(page(lines), name))
    for name, tones in SOUNDS.items():
        (folder / name).write_bytes(sound(tones))
    for name, background in VIDEOS.items():
        write_video(folder / name, background)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, data in DATA.items():
        (folder / name).write_text(json.dumps(data) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "files")
