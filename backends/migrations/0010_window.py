"""What servers' counts teach of a model; Ollama's own ways to cut in silence are no options any more."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GONE = ("truncate", "shift")


def forget(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take them out of stored options."""
    for backend in apps.get_model("backends", "Backend").objects.exclude(options={}):
        kept = {name: value for name, value in backend.options.items() if name not in GONE}
        if kept != backend.options:
            backend.options = kept
            backend.save(update_fields=["options"])


class Migration(migrations.Migration):
    dependencies = [("backends", "0009_model_sampling")]

    operations = [
        migrations.AddField(
            model_name="cataloguemodel",
            name="bytes_per_token",
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="cataloguemodel",
            name="refused_window",
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(forget, migrations.RunPython.noop),
    ]
