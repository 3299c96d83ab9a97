"""Boards in admin: who may do what on them, how long notes stay, and a way to clear one."""

from django.contrib import admin

from examples.whiteboard.models import Board
from realtime.admin import HistoryAdmin

admin.site.register(Board, HistoryAdmin)
