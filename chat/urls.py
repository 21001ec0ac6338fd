"""Addresses of the product."""

from __future__ import annotations

from django.urls import path

from chat.views import backends, cards, catalogue, conversations, discovery, messages, models, pages, waiting

app_name = "chat"

urlpatterns = [
    path("", pages.new, name="new"),
    path("chat/new/", pages.new, name="new-alias"),
    path("chat/", messages.create, name="create"),
    path("chat/sidebar/", pages.sidebar, name="sidebar"),
    path("chat/<uuid:conversation_id>/", pages.conversation, name="conversation"),
    path("chat/<uuid:conversation_id>/messages/", messages.send, name="send"),
    path("chat/<uuid:conversation_id>/stop/", messages.stop, name="stop"),
    path("chat/<uuid:conversation_id>/menu/", conversations.menu, name="menu"),
    path("chat/<uuid:conversation_id>/rename/", conversations.rename, name="rename"),
    path("chat/<uuid:conversation_id>/delete/", conversations.delete, name="delete"),
    path("chat/<uuid:conversation_id>/settings/", conversations.settings, name="settings"),
    path("messages/<int:message_id>/retry/", messages.retry, name="message-retry"),
    path("messages/<int:message_id>/continue/", messages.continue_, name="message-continue"),
    path("messages/<int:message_id>/delete/", messages.delete, name="message-delete"),
    path("messages/<int:message_id>/raw/", messages.raw, name="message-raw"),
    path("messages/<int:message_id>/details/", cards.details, name="message-details"),
    path("asks/<uuid:ask_id>/answer/", cards.answer, name="ask-answer"),
    path("activities/<uuid:activity_id>/output/", cards.output, name="activity-output"),
    path("messages/<int:message_id>/waiting/send/", waiting.send_now, name="waiting-send"),
    path("messages/<int:message_id>/waiting/model/", waiting.send_elsewhere, name="waiting-model"),
    path("messages/<int:message_id>/waiting/edit/", waiting.edit, name="waiting-edit"),
    path("models/health/", waiting.health, name="model-health"),
    path("models/", catalogue.index, name="models"),
    path("models/wishes/", catalogue.prefer, name="model-wishes"),
    path("models/<int:model_pk>/", catalogue.details, name="model"),
    path("models/<int:model_pk>/rules/", catalogue.rules, name="model-rules"),
    path("backends/", backends.index, name="backends"),
    path("backends/add/", backends.add, name="backend-add"),
    path("backends/add/options/", backends.options, name="backend-options"),
    path("backends/<slug:slug>/", backends.edit, name="backend-edit"),
    path("backends/<slug:slug>/test/", backends.test, name="backend-test"),
    path("backends/<slug:slug>/delete/", backends.delete, name="backend-delete"),
    path("backends/<slug:server>/models/", models.index, name="backend-models"),
    path("backends/<slug:server>/models/downloads/", models.downloads, name="backend-downloads"),
    path("backends/<slug:server>/models/memory/", models.memory, name="backend-memory"),
    path("backends/<slug:server>/models/pull/", models.pull, name="backend-pull"),
    path("backends/<slug:server>/models/load/", models.load, name="backend-load"),
    path("backends/<slug:server>/models/unload/", models.unload, name="backend-unload"),
    path("backends/<slug:server>/models/delete/", models.delete, name="backend-model-delete"),
    path("discovery/", discovery.begin, name="discovery"),
    path("discovery/<uuid:search_id>/", discovery.progress, name="discovery-search"),
    path("discovery/<uuid:search_id>/cancel/", discovery.cancel, name="discovery-cancel"),
    path("pulls/<int:pull_id>/cancel/", models.cancel, name="pull-cancel"),
    path("pulls/<int:pull_id>/resume/", models.resume, name="pull-resume"),
]
