from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0023_held_question'),
    ]

    operations = [
        migrations.AddField(
            model_name='activity',
            name='imported',
            field=models.BooleanField(default=False),
        ),
    ]
