from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0024_imported_call'),
    ]

    operations = [
        migrations.AddField(
            model_name='activity',
            name='images',
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
