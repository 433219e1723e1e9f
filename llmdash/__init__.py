"""The Django project of llmdash: wiring, sign-in and the try-it-out cluster."""

from llmdash.celery import app as celery_app

__all__ = ["__version__", "celery_app"]
__version__ = "0.1.0"
