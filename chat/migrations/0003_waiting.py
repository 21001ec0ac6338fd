from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0002_activity_ask'),
    ]

    operations = [
        migrations.AddField(
            model_name='generation',
            name='awaits_server',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='generation',
            name='retry_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='waits',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
