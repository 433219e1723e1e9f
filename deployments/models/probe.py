"""Whether the database has room."""

from django.db import models


class WriteProbe(models.Model):
    """A row that is written and removed at once, to find out whether there is room again (`deployments.database`)."""

    id = models.BigAutoField(primary_key=True)
    filling = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.pk)
