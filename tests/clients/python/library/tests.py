"""What the project's tests say goes to the standard output, for comparison."""

from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Count, F, Q
from django.test import TestCase, TransactionTestCase

from .models import Author, Book, Counted


class Queries(TestCase):
    @classmethod
    def setUpTestData(cls):
        authors = Author.objects.bulk_create(Author(name=f"author {i}", extra={"i": i}) for i in range(10))
        Book.objects.bulk_create(Book(title=f"book {i}", author=authors[i % 10], year=1990 + i) for i in range(95))

    def test_joins_and_aggregates(self):
        found = Author.objects.annotate(n=Count("books", filter=Q(books__year__gt=2000))).order_by("-n", "name")
        print([(author.name, author.n) for author in found[:3]])

    def test_prefetch(self):
        found = Author.objects.prefetch_related("books").filter(extra__i__lt=2).order_by("name")
        print([(author.name, len(author.books.all())) for author in found])

    def test_iterator_is_a_cursor_of_the_server(self):
        print(sum(book.year for book in Book.objects.order_by("id").iterator(chunk_size=10)))

    def test_update_and_delete(self):
        print(Book.objects.filter(year__lt=2000).update(year=F("year") + 1000), Book.objects.filter(year__gt=2900).delete())

    def test_savepoints(self):
        for action, error in ((lambda: Author.objects.create(name="author 1"), IntegrityError), (self.overlong, DataError)):
            with self.assertRaises(error), transaction.atomic():
                action()
        print(Author.objects.count())

    def overlong(self):
        Author.objects.create(name="x" * 51)

    def test_users(self):
        user = User.objects.create_user("somebody", password="secret")
        print(user.check_password("secret"), User.objects.get(username="somebody").is_active)


class Transactions(TransactionTestCase):
    def test_on_commit(self):
        with transaction.atomic():
            transaction.on_commit(lambda: print("committed", Author.objects.count()))
            Author.objects.create(name="committed")

    def test_select_for_update(self):
        Author.objects.create(name="locked")
        with transaction.atomic():
            print(Author.objects.select_for_update(nowait=True).get(name="locked").name)

    def test_counted(self):
        for i in range(100):
            Counted.objects.create(id=i)
        print("counted", Counted.objects.count())

    def test_raw(self):
        with connection.cursor() as cursor:
            cursor.execute("select %s || generate_series::text from generate_series(1, 3)", ["row "])
            print(cursor.fetchall())
