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


class Processor:
    """A kind of machine whose figures are kept, and how fast it starts multiplications."""

    def __init__(self, title, cycle_ns, vectors_a_cycle):
        self.title = title
        self.word_ns = cycle_ns
        self.vector_ns = cycle_ns / vectors_a_cycle


# By the folder of docs/measured. All start one multiplication of two words of 64 bits a cycle; what differs is how many
# vpmadd52 of eight lanes.
PROCESSORS = {
    "zen5": Processor("AMD Zen 5", 0.238, 2),
    "xeon": Processor("Intel Xeon (Sapphire Rapids)", 0.25, 2),
    "zen4": Processor("AMD Zen 4", 0.274, 1),
}


class Width:
    """A kind of multiplication, and how many instructions that multiply a product, a square, and a reduction take."""

    def __init__(self, suffix, instructions, of_vectors):
        self.suffix = suffix
        self.instructions = instructions
        self.of_vectors = of_vectors

    def nanoseconds(self, counted, processor):
        each = processor.vector_ns if self.of_vectors else processor.word_ns
        return each * sum(instructions * times for instructions, times in zip(self.instructions, counted))


# As src/multiplications.rs names them.
WIDTHS = {
    # Karatsuba once, of halves of 8 words. What is cut off at 64 bits counts, too.
    "One1024": Width("", (3 * 8**2, 16 * 17 // 2, 16**2 + 16), False),
    # P-256's own reduction takes shifts.
    "One256": Width(" of 256 bits", (4**2, 4 * 5 // 2, 0), False),
    # Twenty rows of five vectors.
    "Two1024": Width(" of two", (2 * 20 * 5, 2 * 20 * 5, 2 * 20 * 5 + 20), True),
    # A square is taken in blocks of five limbs.
    "Eight1024": Width(" of eight", (2 * 20**2, 2 * 5 * (20 + 15 + 10 + 5), 2 * 20**2 + 20), True),
    "Eight256": Width(" of eight of 256 bits", (2 * 5**2, 2 * 5 * 6 // 2, 2 * 5 * 3), True),
}


class Figures:
    """The figures of several programs on one machine, each as `speed --json` prints it, by backend or `PEER`."""

    def __init__(self, runs):
        self.runs = runs
        self.backends = [backend for backend in BACKENDS if backend in runs]

    @classmethod
    def load(cls, processor):
        return cls({path.stem: json.loads(path.read_text()) for path in (MEASURED / processor).glob("*.json")
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
