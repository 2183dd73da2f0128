"""Exercise 5: the rule of six, and the equation of time."""

from amdahl_lab.grading.items import ChoiceCheck, FunctionCheck, Item, Misconception


def _parts(layers, hidden, vocabulary, sequence):
    """Forward FLOPs per token of the projections and dense layers, the pairs, the output."""
    return 24 * layers * hidden**2, 4 * layers * sequence * hidden, 2 * vocabulary * hidden


def rule(layers, hidden, vocabulary, sequence):
    """Exact FLOPs of training per token, and six for each parameter."""
    parameters = 12 * layers * hidden**2 + (vocabulary + sequence) * hidden
    return [3.0 * sum(_parts(layers, hidden, vocabulary, sequence)), 6.0 * parameters]


def _changed(exact=1.0, pairs=1.0, output=1.0, table=1, places=1):
    def answer(layers, hidden, vocabulary, sequence):
        inner, between, last = _parts(layers, hidden, vocabulary, sequence)
        counted = 12 * layers * hidden**2 + (table * vocabulary + places * sequence) * hidden
        return [3 * exact * (inner + pairs * between + output * last), 6 * counted]

    return answer


def _models(rng):
    return [
        (
            int(rng.integers(2, 97)),
            64 * int(rng.integers(2, 192)),
            int(rng.integers(5_000, 60_000)),
            128 * int(rng.integers(1, 65)),
        )
        for _ in range(5)
    ]


RULE = FunctionCheck(
    Item("rule_of_six", 1, "exact count and rule of thumb"),
    "exact_and_rule",
    _models,
    rule,
    (
        Misconception(
            "the rule knows nothing of the sequence, and the exact count has to: scores and "
            "weighted sums have no parameters and cost FLOPs all the same",
            _changed(pairs=0),
        ),
        Misconception(
            "the last layer is a product of features and vocabulary at every place, whoever owns "
            "its weights",
            _changed(output=0),
        ),
        Misconception(
            "the table is there once: the last layer uses the one of the embedding",
            _changed(table=2),
        ),
        Misconception(
            "the positions have a table too, and it is learned",
            _changed(places=0),
        ),
        Misconception(
            "training is forward and backward, and backward costs twice the forward pass",
            _changed(exact=1 / 3),
        ),
        Misconception(
            "training is forward and backward, and backward costs twice the forward pass",
            _changed(exact=2 / 3),
        ),
        Misconception(
            "one multiplication and one addition are two FLOPs; this counts the pair once",
            _changed(exact=1 / 2),
        ),
        Misconception(
            "per token each place meets all places of its sequence; a mask saves nothing here",
            _changed(pairs=0.5),
        ),
    ),
    otherwise="some hidden models have other counts: add up the products of one layer, times the "
    "number of layers, and the last one",
)

STATEMENTS = ChoiceCheck(
    Item("equation", 1, "which factor a claim changes"),
    "true_statements",
    frozenset("ace"),
    {
        "a": "look at (a) again: which of depth and width enters a product of matrices twice?",
        "b": "look at (b) again: who tells a dense product that it may skip a zero?",
        "c": "look at (c) again: are there fewer operations, or does each take less time?",
        "d": "look at (d) again: what one sample needs, and who does it, are two factors",
        "e": "look at (e) again: which of the two terms is the larger one, and is N in it?",
        "f": "look at (f) again: how many steps does an epoch have then?",
    },
)
