"""A small library."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)
    extra = models.JSONField(default=dict)


class Book(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    year = models.IntegerField(null=True)


class Counted(models.Model):
    class Meta:
        db_table = "counted"
