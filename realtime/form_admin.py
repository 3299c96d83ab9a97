"""Pages of admin with one short form, opened from elsewhere: they ask, do it, say that it is done, and lead back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from realtime.connections.sight import Sight


def way_back(request: HttpRequest, otherwise: str) -> str:
    """The address of the page of connections for who may see it, else of the page called `otherwise`."""
    may_see = Sight(request.user).is_any
    return reverse("admin:realtime_connection_changelist" if may_see else otherwise)


def form_page(
    model_admin: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    form: forms.BaseForm,
    template: str,
    *,
    title: str,
    **more: Any,
) -> HttpResponse:
    """The page that asks. Its template extends `admin/realtime/form.html`, which wants `back`, an address."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "form": form,
        "opts": model_admin.opts,
        **more,
    }
    return TemplateResponse(request, template, context)


def done(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, to: Model, note: str, said: str, back: str
) -> HttpResponse:
    """What was asked for is done `to` a row, whose log keeps the note; who did it reads what is `said`, back there."""
    model_admin.log_change(request, to, note)
    messages.success(request, said)
    return HttpResponseRedirect(back)
