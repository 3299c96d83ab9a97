"""Counters that everyone sees change."""

from django.apps import AppConfig


class CounterConfig(AppConfig):
    """The counter app."""

    name = "counter"
    verbose_name = "Counters"
