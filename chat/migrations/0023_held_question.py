from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0022_forked_without'),
    ]

    operations = [
        migrations.AddField(
            model_name='upcomingquestion',
            name='held',
            field=models.BooleanField(default=False),
        ),
    ]
