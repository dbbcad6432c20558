"""The output of an encoder whose last block waits to hear which tokens are read."""

from keras_vit.export.mobile.pending import plain, scaled


class EncoderOutput:
    """An encoder's tokens, yet to be computed.

    Where only the first token is read, the last block computes only that one: its keys and values come
    from all tokens, its query, projection and MLP from one.

    Args:
        compute: callable that takes `only_first`, a bool, and gives `(batch, length, hidden_dim)`, or
            `(batch, hidden_dim)` of the first token, a tensor or a pending value; and the attention of
            each block after softmax, of the last one only that of the tokens it computed.

    Attributes:
        scores: that attention, once tokens were asked for.
    """

    def __init__(self, compute):
        self.compute = compute
        self.scores = None
        self._all = None

    def all_tokens(self):
        if self._all is None:
            self._all, self.scores = self.compute(only_first=False)
        return self._all

    def first_token(self):
        first, scores = self.compute(only_first=True)
        self.scores = self.scores or scores
        return first

    def scaled(self, scale, shift):
        return scaled(self.all_tokens(), scale, shift)

    def plain(self):
        return plain(self.all_tokens())
