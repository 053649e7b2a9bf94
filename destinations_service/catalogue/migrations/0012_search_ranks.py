"""Postings get a rank, so that a search for a frequent word is bounded. The index is made again by the next seeding."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0011_capacity_cuts'),
    ]

    operations = [
        migrations.DeleteModel(name='SearchPosting'),
        migrations.CreateModel(
            name='SearchPosting',
            fields=[
                ('pk', models.CompositePrimaryKey('entry_id', 'word', blank=True, editable=False, primary_key=True, serialize=False)),
                ('entry_id', models.UUIDField()),
                ('word', models.CharField(db_collation='C', max_length=200)),
                ('rank', models.IntegerField()),
            ],
        ),
        migrations.AddIndex(
            model_name='searchposting',
            index=models.Index(fields=['word', 'rank', 'entry_id'], name='search_postings_by_rank'),
        ),
        migrations.AddIndex(
            model_name='searchentry',
            index=django.contrib.postgres.indexes.GinIndex(fields=['ancestors'], name='search_entry_ancestors'),
        ),
        migrations.RunSQL('DELETE FROM catalogue_searchentry', migrations.RunSQL.noop),
    ]
