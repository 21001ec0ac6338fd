"""Websocket addresses."""

from __future__ import annotations

from django.urls import path

from chat.realtime.columns import ComparisonConsumer
from chat.realtime.consumer import ConversationConsumer
from chat.realtime.temporary import TemporaryConsumer

websocket_urlpatterns = [
    path("ws/conversations/<uuid:conversation_id>/", ConversationConsumer.as_asgi()),
    path("ws/temporary/<uuid:chat_id>/", TemporaryConsumer.as_asgi()),
    path("ws/comparisons/<uuid:comparison_id>/", ComparisonConsumer.as_asgi()),
]
