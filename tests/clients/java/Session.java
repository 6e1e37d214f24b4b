import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.security.MessageDigest;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** pgjdbc: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it. */
public class Session {
    interface Action {
        Object run() throws Exception;
    }

    static void attempt(String what, Action action) throws Exception {
        try {
            System.out.println(what + " " + action.run());
        } catch (SQLException error) {
            System.out.println(what + " " + error.getSQLState() + " " + error.getMessage().replace('\n', ' '));
        }
    }

    static String rows(ResultSet set) throws SQLException {
        StringBuilder text = new StringBuilder();
        int columns = set.getMetaData().getColumnCount();
        while (set.next()) {
            for (int column = 1; column <= columns; column++) {
                text.append(column == 1 ? '(' : ',').append(set.getObject(column));
            }
            text.append(") ");
        }
        return text.toString();
    }

    static Connection connect(String mode) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("preferQueryMode", mode);
        if (System.getenv("PGSSLROOTCERT") != null) {
            properties.setProperty("password", System.getenv("PGPASSWORD"));
            properties.setProperty("sslmode", "verify-ca");
            properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
        }
        String place = System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + place, properties);
    }

    /** Prepared by the driver from the fifth run on; a batch goes out as one pipeline. */
    static void statements(Connection connection) throws Exception {
        try (PreparedStatement insert = connection.prepareStatement("insert into t values (?, ?, ?)")) {
            for (int i = 0; i < 12; i++) {
                insert.setInt(1, i);
                insert.setString(2, "body " + i);
                insert.setBigDecimal(3, new BigDecimal(i + ".5"));
                insert.executeUpdate();
            }
            for (int i = 100; i < 600; i++) {
                insert.setInt(1, i);
                insert.setString(2, "batch");
                insert.setBigDecimal(3, null);
                insert.addBatch();
            }
            System.out.println("batch " + Arrays.stream(insert.executeBatch()).sum());
            insert.setInt(1, 1000);
            insert.addBatch();
            insert.setInt(1, 1);
            insert.addBatch();
            insert.executeBatch();
        } catch (BatchUpdateException error) {
            System.out.println("failed batch " + error.getSQLState() + " " + Arrays.toString(error.getUpdateCounts()));
        }
        try (Statement statement = connection.createStatement()) {
            System.out.println(rows(statement.executeQuery("select * from t where id < 3 order by id")));
            boolean more = statement.execute("select 1; update t set body = 'x' where id < 5; select 2");
            for (int count = 0; more || count != -1; more = statement.getMoreResults(), count = statement.getUpdateCount()) {
                System.out.println(more ? rows(statement.getResultSet()) : "updated " + statement.getUpdateCount());
            }
            statement.execute("do $$ begin raise warning 'careful'; end $$");
            System.out.println(statement.getWarnings().getMessage());
            attempt("division", () -> statement.executeQuery("select 1 / 0"));
            attempt("duplicate", () -> statement.executeUpdate("insert into t (id) values (1)"));
            attempt("syntax", () -> statement.executeQuery("selec"));
        }
        try (PreparedStatement insert = connection.prepareStatement("insert into t (id) values (?)", new String[] {"id"})) {
            insert.setInt(1, 5000);
            insert.executeUpdate();
            System.out.println("generated " + rows(insert.getGeneratedKeys()));
        }
    }

    static void transactions(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(50);
            ResultSet set = statement.executeQuery("select id from t order by id");
            long sum = 0;
            while (set.next()) {
                sum += set.getInt(1);
            }
            System.out.println("fetched in parts " + sum);
            Savepoint savepoint = connection.setSavepoint("s");
            attempt("in a transaction", () -> statement.executeQuery("select broken"));
            attempt("behind it", () -> statement.executeQuery("select 1"));
            connection.rollback(savepoint);
            System.out.println(rows(statement.executeQuery("select 'alive'")));
        }
        LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
        long oid = objects.createLO(LargeObjectManager.READWRITE);
        LargeObject object = objects.open(oid, LargeObjectManager.READWRITE);
        byte[] block = new byte[10000];
        for (int i = 0; i < 30; i++) {
            Arrays.fill(block, (byte) i);
            object.write(block);
        }
        object.seek(5);
        System.out.println("large object " + object.size() + " " + object.read(299000).length);
        object.close();
        objects.delete(oid);
        connection.commit();
        connection.setAutoCommit(true);
    }

    static void streams(Connection connection) throws Exception {
        CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int i = 10000; i < 13000; i++) {
            lines.append(i).append("\tcopied\t\\N\n");
        }
        System.out.println("copied " + copy.copyIn("copy t from stdin", new StringReader(lines.toString())));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        copy.copyOut("copy (select * from t order by id) to stdout", out);
        byte[] hash = MessageDigest.getInstance("MD5").digest(out.toByteArray());
        System.out.println("out " + out.size() + " " + HexFormat.of().formatHex(hash));
        attempt("bad copy", () -> copy.copyIn("copy t from stdin", new StringReader("x\n")));
        try (Statement statement = connection.createStatement()) {
            statement.execute("listen channel");
            statement.execute("notify channel, 'payload'");
            statement.execute("select 1");
        }
        var note = connection.unwrap(PGConnection.class).getNotifications(30000)[0];
        System.out.println("notification " + note.getName() + " " + note.getParameter());
    }

    static void cancel(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            attempt("time limit", () -> statement.executeQuery("select pg_sleep(600)"));
            System.out.println(rows(statement.executeQuery("select 'alive'")));
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("version " + org.postgresql.util.DriverInfo.DRIVER_VERSION);
        int id = 0;
        for (String mode : new String[] {"extended", "extendedCacheEverything", "extendedForPrepared", "simple"}) {
            System.out.println(mode);
            try (Connection connection = connect(mode)) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("drop table if exists t");
                    statement.execute("create table t (id int primary key, body text, number numeric)");
                    statement.execute("create table if not exists counted (id int primary key)");
                }
                statements(connection);
                transactions(connection);
                streams(connection);
                cancel(connection);
                try (PreparedStatement insert = connection.prepareStatement("insert into counted (id) values (?)")) {
                    for (int i = 0; i < 25; i++) {
                        insert.setInt(1, id++);
                        insert.executeUpdate();
                    }
                }
                System.out.println("counted " + rows(connection.createStatement().executeQuery("select count(*) from counted")));
            }
        }
        System.out.println("done");
    }
}
