"""Paused channels, undeliverable addresses, and what a notification needs to be fenced, traced and not sent late."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_mails_about_the_account'),
    ]

    operations = [
        migrations.CreateModel(
            name='PausedChannel',
            fields=[
                ('channel', models.CharField(choices=[('EMAIL', 'EMAIL'), ('SMS', 'SMS')], max_length=8, primary_key=True, serialize=False)),
                ('cause', models.CharField(max_length=500)),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('probes', models.PositiveIntegerField(db_default=0, default=0)),
                ('next_probe_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='notification',
            name='failures',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="Attempts that failed for a passing reason of the recipient's side."),
        ),
        migrations.AddField(
            model_name='notification',
            name='not_after',
            field=models.DateTimeField(blank=True, help_text='It is not sent after this time.', null=True),
        ),
        migrations.AddField(
            model_name='notification',
            name='traceparent',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AlterField(
            model_name='notification',
            name='attempts',
            field=models.PositiveIntegerField(default=0, help_text='The number of the current attempt.'),
        ),
        migrations.CreateModel(
            name='Undeliverable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('person_id', models.UUIDField()),
                ('channel', models.CharField(choices=[('EMAIL', 'EMAIL'), ('SMS', 'SMS')], max_length=8)),
                ('digest', models.CharField(max_length=64)),
                ('cause', models.CharField(max_length=500)),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(fields=('person_id', 'channel', 'digest'), name='undeliverable_once')],
            },
        ),
    ]
