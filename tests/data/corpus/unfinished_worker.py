"""A worker that stops; in a module whose import is quick for processes."""

from bert.data.corpus import streaming


class Unfinished(streaming.Worker):
    """Fails at the third shard."""

    def make_shard(self, shard):
        if shard == 2:
            raise OSError(28, "No space left on device", "out")
        return super().make_shard(shard)
