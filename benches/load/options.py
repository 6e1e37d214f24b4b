"""What each script here is told: where the comparison tool is, and which pgvitals to measure."""
from __future__ import annotations

import argparse
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def parser(doc: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--tools", default=os.environ.get("BENCH_TOOLS", ROOT.parent / "shared/tools/bench"), type=Path)
    made.add_argument("--pgvitals", default=ROOT / "target/release/pgvitals", type=Path)
    return made


def read(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments; ends the program with what to do where something that they name isn't there."""
    a = made.parse_args()
    if not (a.tools / "candidate.py").exists():
        made.error(f"no comparison tool in {a.tools}: name its directory with --tools")
    if not a.pgvitals.exists():
        made.error(f"no {a.pgvitals}: run cargo build --release")
    return a
