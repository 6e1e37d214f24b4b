# ActiveRecord over pg: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it.

require "active_record"

puts "version #{ActiveRecord::VERSION::STRING}"
ActiveRecord::Base.establish_connection(adapter: "postgresql", pool: 2)
ActiveRecord::Migration.verbose = false

class Author < ActiveRecord::Base
  has_many :books
end

class Book < ActiveRecord::Base
  belongs_to :author
end

class Counted < ActiveRecord::Base
  self.table_name = "counted"
end

class MakeTables < ActiveRecord::Migration[6.1]
  def change
    create_table(:authors) { |table| table.string :name, null: false, index: { unique: true } }
    create_table(:books) do |table|
      table.references :author, foreign_key: true
      table.string :title
      table.jsonb :extra
    end
    create_table(:counted)
  end
end

ActiveRecord::Base.connection.transaction { MakeTables.new.migrate(:up) }
author = Author.create!(name: "one")
Author.transaction do
  20.times { |i| Book.create!(title: "title #{i}", author: author, extra: { i: i }) }
  Author.transaction(requires_new: true) do
    Author.create!(name: "gone")
    raise ActiveRecord::Rollback
  end
end
begin
  Author.create!(name: "one")
rescue ActiveRecord::RecordNotUnique => error
  puts error.message
end
Book.insert_all((0...300).map { |i| { title: "many #{i}", author_id: author.id } })
Book.upsert({ id: 1, title: "changed" })
found = 0
Book.find_each(batch_size: 50) { found += 1 }
puts found
p Author.includes(:books).map { |one| [one.name, one.books.size] }
p Book.where("title like ?", "title 1%").order(:id).pluck(:id, :title, :extra)
author.with_lock { author.update!(name: "renamed") }
100.times { |i| Counted.create!(id: i) }
puts "counted #{Counted.count}"
ActiveRecord::Base.connection_pool.disconnect!
puts "done"
