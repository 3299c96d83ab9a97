"""The pages of the whiteboard: the list of boards, and a board."""

from django.urls import path

from examples.whiteboard.models import Board
from realtime.views import list_page, stream_page

app_name = "whiteboard"
page = {"model": Board, "template": "whiteboard/board.html", "route": "/ws/board/{}/"}
urlpatterns = [
    path("", list_page, {"model": Board}, name="boards"),
    path("<str:name>/", stream_page, page, name="board"),
]
