"""The signals of the stream while there is no Redis."""

from django.db import models


class Signal(models.Model):
    """Something changed: `topic` and `key` say what. Each web process reads what is new; old rows are pruned."""

    seq = models.BigAutoField(primary_key=True)
    topic = models.CharField(max_length=20)
    key = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"
