<?php
// Laravel's Eloquent over PDO: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it.

require "Illuminate/Database/autoload.php";

use Illuminate\Database\Capsule\Manager as DB;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\QueryException;

class Author extends Model
{
    public $timestamps = false;
    protected $guarded = [];

    public function books()
    {
        return $this->hasMany(Book::class);
    }
}

class Book extends Model
{
    public $timestamps = false;
    protected $guarded = [];
}

$package = trim(shell_exec("dpkg-query -W -f '\${Version}' php-illuminate-database"));
echo "version $package\n";
$capsule = new DB();
$capsule->addConnection([
    "driver" => "pgsql",
    "host" => getenv("PGHOST"),
    "port" => getenv("PGPORT"),
    "database" => getenv("PGDATABASE"),
    "username" => getenv("PGUSER"),
    "password" => getenv("PGPASSWORD") ?: "",
]);
$capsule->setAsGlobal();
$capsule->bootEloquent();

$schema = DB::schema();
$schema->create("authors", function ($table) {
    $table->increments("id");
    $table->string("name")->unique();
});
$schema->create("books", function ($table) {
    $table->increments("id");
    $table->foreignId("author_id")->constrained();
    $table->string("title");
});
$schema->create("counted", fn ($table) => $table->integer("id")->primary());
$author = Author::create(["name" => "one"]);
DB::connection()->transaction(function () use ($author) {
    for ($i = 0; $i < 20; $i++) {
        $author->books()->create(["title" => "title $i"]);
    }
});
try {
    DB::connection()->transaction(function () {
        Author::create(["name" => "gone"]);
        Author::create(["name" => "one"]);
    });
} catch (QueryException $error) {
    echo "rolled back ", $error->getCode(), "\n";
}
Book::insert(array_map(fn ($i) => ["title" => "many $i", "author_id" => $author->id], range(1, 300)));
Author::upsert([["name" => "one"], ["name" => "two"]], ["name"], ["name"]);
$seen = 0;
Book::orderBy("id")->chunk(40, function ($books) use (&$seen) {
    $seen += count($books);
});
$cursor = 0;
foreach (Book::cursor() as $book) {
    $cursor++;
}
echo "$seen $cursor\n";
echo Author::with("books")->withCount("books")->orderBy("name")->get(["name"])->toJson(), "\n";
echo Book::where("title", "like", "title 1%")->orderBy("id")->get()->toJson(), "\n";
for ($i = 0; $i < 100; $i++) {
    DB::table("counted")->insert(["id" => $i]);
}
echo "counted ", DB::table("counted")->count(), "\n";
echo "done\n";
