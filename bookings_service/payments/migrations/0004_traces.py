"""Payments and refunds keep the request and the trace that caused them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0003_staff_refunds'),
    ]

    operations = [
        migrations.AddField(
            model_name='payment',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of its first cause.', max_length=64),
        ),
        migrations.AddField(
            model_name='payment',
            name='traceparent',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='refund',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of its first cause.', max_length=64),
        ),
        migrations.AddField(
            model_name='refund',
            name='traceparent',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
    ]
