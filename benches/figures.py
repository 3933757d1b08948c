"""What is measured, against what, and how fast it has to be: shared by `compare` and `document`."""

import json
from pathlib import Path

MEASURED = Path(__file__).resolve().parent.parent / "docs" / "measured"

# Fastest first, with the factor that its goals have over those below.
BACKENDS = {"ifma": 1, "bmi2": 3, "portable": 4}
PEER = "wolfssl"

# Operation of `speed`, its goal in milliseconds, and the operation of wolfSSL to compare with (it has no batches).
OPERATIONS = [
    ("sakke_extract", 0.10, "sakke_extract"),
    ("sakke_extract_batch", 0.06, "sakke_extract"),
    ("sakke_validate", 0.95, "sakke_validate"),
    ("sakke_encapsulate", 0.25, "sakke_encapsulate"),
    ("sakke_encapsulate_batch", 0.15, "sakke_encapsulate"),
    ("sakke_decapsulate", 0.60, "sakke_decapsulate"),
    ("sakke_decapsulate_batch", 0.50, "sakke_decapsulate"),
    ("eccsi_extract", 0.008, "eccsi_extract"),
    ("eccsi_extract_batch", None, "eccsi_extract"),
    ("eccsi_validate", 0.035, "eccsi_validate"),
    ("eccsi_sign", 0.010, "eccsi_sign"),
    ("eccsi_sign_batch", None, "eccsi_sign"),
    ("eccsi_verify", 0.035, "eccsi_verify"),
    ("eccsi_verify_batch", None, "eccsi_verify"),
    ("eccsi_verify_known", 0.015, "eccsi_verify"),
    ("key_set_batch", 0.075, "key_set_batch"),
    ("kms_tables_build", None, None),
    ("rsk_validator_build", None, None),
    ("key_set_load", None, None),
    ("imessage_create", 0.28, None),
    ("imessage_open", 0.65, None),
]


class Width:
    """A kind of multiplication: what the multiplier takes for a product, a square, and a Montgomery reduction."""

    # A cycle of the machine that the figures are of, Zen 5 at 4.2 GHz.
    CYCLE_NS = 0.238

    def __init__(self, suffix, instructions, a_cycle):
        self.suffix = suffix
        self.nanoseconds = [count / a_cycle * self.CYCLE_NS for count in instructions]


def schoolbook(limbs, halves):
    """Instructions for a product, a square and a reduction; `halves` of them give one product of two limbs."""
    return halves * limbs**2, halves * limbs * (limbs + 1) // 2, halves * limbs**2 + limbs


# As src/multiplications.rs names them. A cycle starts one mulx, or two vpmadd52 of eight lanes. A limb of P-256 is reduced
# with one multiplication.
WIDTHS = {
    "One1024": Width("", schoolbook(16, 1), 1),
    "One256": Width(" of 256 bits", (16, 10, 4), 1),
    "Two1024": Width(" of two", (200, 200, 220), 2),
    "Eight1024": Width(" of eight", schoolbook(20, 2), 2),
}


class Figures:
    """The figures of several programs, each as `speed --json` prints it, by backend or `PEER`."""

    def __init__(self, runs):
        self.runs = runs
        self.backends = [backend for backend in BACKENDS if backend in runs]

    @classmethod
    def load(cls):
        return cls({path.stem: json.loads(path.read_text()) for path in MEASURED.glob("*.json")
                    if path.stem in BACKENDS or path.stem == PEER})

    def milliseconds(self, program, operation):
        """None where the program does not measure the operation."""
        for figure in self.runs[program]["ops"] if program in self.runs else []:
            if figure["name"] == operation:
                return figure["ns_per_op"] / 1e6
        return None

    def ratio(self, backend, operation, peer_operation):
        """How many times as fast as wolfSSL."""
        ours, theirs = self.milliseconds(backend, operation), self.milliseconds(PEER, peer_operation)
        return theirs / ours if ours and theirs else None


def goal(backend, milliseconds):
    return milliseconds and milliseconds * BACKENDS[backend]


def text(milliseconds):
    """Three significant digits."""
    if milliseconds is None:
        return ""
    return f"{milliseconds:#.3g}".rstrip(".")


def times(ratio):
    if ratio is None:
        return ""
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
