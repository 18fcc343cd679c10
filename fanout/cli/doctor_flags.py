"""The flags of `python -m fanout doctor`."""

from __future__ import annotations

import argparse


def add_doctor_flags(doctor: argparse.ArgumentParser) -> None:
    shape = doctor.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON object")
    shape.add_argument(
        "--settings", action="store_true", help="print every setting there is, as Markdown"
    )
    doctor.add_argument("--port", type=_port, default=8501, help="the port that the app is to have")
    doctor.add_argument(
        "--offline", action="store_true", help="ask no endpoint and no identity provider"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535; {text} is not")
    return int(text)
