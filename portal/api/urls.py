"""Addresses of the API."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from portal.api.schema import SETTINGS
from portal.api.views import (
    decisions,
    feed,
    ledger,
    problems,
    register,
    reports,
    requests,
    signals,
    webhooks,
    withdrawals,
)

V1 = [
    path("decisions", decisions.DecisionsView.as_view(), name="api-decisions"),
    path("decisions/replay", decisions.ReplayView.as_view(), name="api-replay"),
    path("decisions/history", decisions.HistoryView.as_view(), name="api-history"),
    path("permissions/changes", feed.ChangesView.as_view(), name="api-changes"),
    path("permissions/snapshot", feed.SnapshotView.as_view(), name="api-snapshot"),
    path("signals/<str:isrc>", signals.SignalsView.as_view(), name="api-signals"),
    path("tools", register.ToolsView.as_view(), name="api-tools"),
    path("tools/<str:tool>", register.ToolView.as_view(), name="api-tool"),
    path("model-versions", register.ModelVersionsView.as_view(), name="api-model-versions"),
    path("model-versions/<str:ref>/retire", register.RetireView.as_view(), name="api-retire-model"),
    path("requests", requests.RequestsView.as_view(), name="api-requests"),
    path("requests/<str:ref>", requests.RequestView.as_view(), name="api-request"),
    path("training-runs", reports.TrainingRunsView.as_view(), name="api-training-runs"),
    path("outputs", reports.OutputsView.as_view(), name="api-outputs"),
    path("usage-events", reports.UsageEventsView.as_view(), name="api-usage-events"),
    path("withdrawals", withdrawals.WithdrawalsView.as_view(), name="api-withdrawals"),
    path(
        "withdrawals/<str:ref>/acknowledge",
        withdrawals.AcknowledgeView.as_view(),
        name="api-acknowledge",
    ),
    path("webhooks", webhooks.WebhooksView.as_view(), name="api-webhooks"),
    path("webhooks/<str:ref>", webhooks.WebhookView.as_view(), name="api-webhook"),
    path("webhooks/<str:ref>/rotate", webhooks.RotateView.as_view(), name="api-webhook-rotate"),
    path("webhooks/<str:ref>/try", webhooks.TrialView.as_view(), name="api-webhook-try"),
    path(
        "webhooks/<str:ref>/messages", webhooks.MessagesView.as_view(), name="api-webhook-messages"
    ),
    path(
        "webhook-messages/<str:ref>/replay",
        webhooks.ReplayMessageView.as_view(),
        name="api-webhook-replay",
    ),
    path("ledger/checkpoint", ledger.CheckpointView.as_view(), name="api-checkpoint"),
    path(
        "ledger/checkpoint/<int:size>", ledger.CheckpointAtView.as_view(), name="api-checkpoint-at"
    ),
    path("ledger/proofs/inclusion", ledger.InclusionView.as_view(), name="api-inclusion"),
    path("ledger/proofs/consistency", ledger.ConsistencyView.as_view(), name="api-consistency"),
    path("ledger/keys", ledger.KeysView.as_view(), name="api-keys"),
]

urlpatterns = [
    path("v1/", include(V1)),
    path(
        "schema/",
        SpectacularAPIView.as_view(
            custom_settings=SETTINGS, authentication_classes=[], permission_classes=[]
        ),
        name="api-schema",
    ),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="api-schema", authentication_classes=[], permission_classes=[]
        ),
        name="api-docs",
    ),
    path("problems/", problems.problem_list, name="api-problems"),
    path("problems/<slug:code>/", problems.problem, name="api-problem"),
]
