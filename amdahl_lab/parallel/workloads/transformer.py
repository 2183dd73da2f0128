"""A decoder-only transformer, written to be cut: a sequence of embedding, blocks and head.

A pipeline cuts the sequence between its parts. Tensor parallelism cuts each block: the outputs of
`query`, `key`, `value` and `up`, the inputs of `out` and `down`. The number of heads is read from
the width that a projection really has, so a block with a share of the heads runs as it is.
"""

import torch
from torch import Tensor, nn


class Embedding(nn.Module):
    """A row for each character plus a row for each position.

    Parameters
    ----------
    vocabulary, sequence, hidden : int
        Characters v, positions s and features h.
    """

    def __init__(self, vocabulary: int, sequence: int, hidden: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(sequence, hidden)
        for table in (self.characters, self.positions):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, characters: Tensor) -> Tensor:
        """Map characters, shape (b, s), to features, shape (b, s, h)."""
        return self.characters(characters) + self.positions.weight[: characters.shape[1]]


class Attention(nn.Module):
    """Self-attention in which a position sees itself and those before it.

    Parameters
    ----------
    hidden, heads : int
        Features h, and heads, which must divide them.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.features = hidden // heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, hidden)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map features, shape (b, s, h), to features of the same shape."""
        query, key, value = (
            project(inputs).unflatten(2, (-1, self.features)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        scores = query / self.features**0.5 @ key.transpose(2, 3)
        unseen = torch.ones(scores.shape[2:], dtype=torch.bool, device=scores.device).triu(1)
        weights = scores.masked_fill(unseen, float("-inf")).softmax(3)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class Perceptron(nn.Module):
    """Two dense layers with four times the width between them.

    Parameters
    ----------
    hidden : int
        Features h.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(hidden, 4 * hidden)
        self.down = nn.Linear(4 * hidden, hidden)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map features, shape (b, s, h), to features of the same shape."""
        return self.down(nn.functional.gelu(self.up(inputs)))


class Block(nn.Module):
    """Attention, then a perceptron, each on normalised features and added to what came in.

    Parameters
    ----------
    hidden, heads : int
        Features h and heads.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(hidden)
        self.attention = Attention(hidden, heads)
        self.perceptron_norm = nn.LayerNorm(hidden)
        self.perceptron = Perceptron(hidden)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map features, shape (b, s, h), to features of the same shape."""
        between = inputs + self.attention(self.attention_norm(inputs))
        return between + self.perceptron(self.perceptron_norm(between))


class Head(nn.Module):
    """Scores for the next character.

    Parameters
    ----------
    hidden, vocabulary : int
        Features h and characters v.
    """

    def __init__(self, hidden: int, vocabulary: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.scores = nn.Linear(hidden, vocabulary, bias=False)
        nn.init.normal_(self.scores.weight, std=0.02)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map features, shape (b, s, h), to scores, shape (b, s, v)."""
        return self.scores(self.norm(inputs))


def transformer(
    layers: int, hidden: int, heads: int, vocabulary: int, sequence: int, tied: bool = False
) -> nn.Sequential:
    """Put embedding, blocks and head in a row.

    Parameters
    ----------
    layers, hidden, heads, vocabulary, sequence : int
        Blocks L, features h, heads, characters v and positions s.
    tied : bool
        Whether the head scores with the embedding's table.
    """
    embedding, head = Embedding(vocabulary, sequence, hidden), Head(hidden, vocabulary)
    if tied:
        head.scores.weight = embedding.characters.weight
    return nn.Sequential(embedding, *(Block(hidden, heads) for _ in range(layers)), head)
