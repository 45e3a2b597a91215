/* The command line below its programs: where a suite is, what it writes for the programs that it
 * starts, what it says of an order. In a directory of its own. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "cli/follow.h"
#include "cli/http.h"
#include "cli/identity.h"
#include "cli/process.h"
#include "cli/rights.h"
#include "cli/suite.h"
#include "cli/supervisor.h"
#include "common/base/clock.h"
#include "common/messaging/bus.h"
#include "tests/unit/unit.h"

static char place[256]; /* removed at the end */

static struct suite suite_here(const char *name)
{
    struct suite suite = {.base_port = 20000};
    snprintf(suite.home, sizeof suite.home, "%.200s/%.60s", place, name);
    return suite;
}

static enum result resolve(const char *home, int64_t port, struct suite *suite)
{
    struct suite_options options = {home, port};
    return suite_resolve(&options, suite, NULL);
}

static void a_home_becomes_absolute(void)
{
    struct suite suite;
    CU_ASSERT_EQUAL_FATAL(resolve("some/where//", 0, &suite), OK);
    CU_ASSERT_EQUAL(suite.home[0], '/');
    CU_ASSERT_STRING_EQUAL(suite.home + strlen(suite.home) - 11, "/some/where");
    CU_ASSERT_EQUAL(suite.base_port, SUITE_PORT_DEFAULT);
}

static void a_home_is_a_line_of_text(void)
{
    static const char *const bad[] = {"", "/a\nb", "/a\tb", "/a\x7f", "/\xfc"};
    static const char *const fine[] = {"/a home", "/a\"b", "/a'b",  "/a ;b",    "/a%b",
                                       "/a$b",    "/a\\b", "/a #b", "/\xc3\xbc"};
    char longest[SUITE_HOME_SIZE + 8];
    struct suite suite;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(resolve(bad[i], 0, &suite), INVALID);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        CU_ASSERT_EQUAL(resolve(fine[i], 0, &suite), OK);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    longest[0] = '/';
    CU_ASSERT_EQUAL(resolve(longest, 0, &suite), INVALID);
}

static void the_port_of_the_last_start_is_remembered(void)
{
    struct suite suite = suite_here("remembered");
    struct suite again;
    CU_ASSERT_EQUAL_FATAL(directory_make_all(suite_path(&suite, "run").text, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(file_write(suite_path(&suite, "run/base-port").text, "20300\n", 6, NULL),
                          OK);
    CU_ASSERT_EQUAL_FATAL(resolve(suite.home, 0, &again), OK);
    CU_ASSERT_EQUAL(again.base_port, 20300);
    CU_ASSERT_EQUAL_FATAL(resolve(suite.home, 20400, &again), OK);
    CU_ASSERT_EQUAL(again.base_port, 20400);
    CU_ASSERT_EQUAL_FATAL(file_write(suite_path(&suite, "run/base-port").text, "99999", 5, NULL),
                          OK);
    CU_ASSERT_EQUAL_FATAL(resolve(suite.home, 0, &again), OK);
    CU_ASSERT_EQUAL(again.base_port, SUITE_PORT_DEFAULT);
}

static void a_long_home_has_its_socket_elsewhere(void)
{
    struct suite suite = {.home = "/short"};
    CU_ASSERT_STRING_EQUAL(suite_socket(&suite).text, "/short/run/supervisor.sock");
    memset(suite.home + 1, 'x', 300);
    CU_ASSERT(strlen(suite_socket(&suite).text) < 90);
    struct suite other = suite;
    other.home[200] = 'y';
    CU_ASSERT_STRING_NOT_EQUAL(suite_socket(&suite).text, suite_socket(&other).text);
}

static void a_file_is_private_and_whole(void)
{
    struct suite suite = suite_here("files");
    struct suite_path path = suite_path(&suite, "secret");
    struct stat there;
    char text[8];
    CU_ASSERT_EQUAL_FATAL(directory_make_all(suite.home, NULL), OK);
    CU_ASSERT_EQUAL(file_read(path.text, text, sizeof text, NULL), NOT_FOUND);
    CU_ASSERT_EQUAL_FATAL(file_write(path.text, "abc\n", 4, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(stat(path.text, &there), 0);
    CU_ASSERT_EQUAL(there.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(file_read(path.text, text, sizeof text, NULL), OK);
    CU_ASSERT_STRING_EQUAL(text, "abc");
    CU_ASSERT_EQUAL_FATAL(file_write(path.text, "12345678", 8, NULL), OK);
    CU_ASSERT_EQUAL(file_read(path.text, text, sizeof text, NULL), FATAL);
    CU_ASSERT_EQUAL_FATAL(file_write(path.text, "1234567\r\nwhat follows", 21, NULL), OK);
    CU_ASSERT_EQUAL(file_read(path.text, text, sizeof text, NULL), OK);
    CU_ASSERT_STRING_EQUAL(text, "1234567");
    CU_ASSERT_EQUAL_FATAL(file_write(path.text, "", 0, NULL), OK);
    CU_ASSERT_EQUAL(file_read(path.text, text, sizeof text, NULL), OK);
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(directory_make(path.text, NULL), FATAL);
}

static const struct queue_spec some_queues[] = {{.name = "order.commands", .kind = QUEUE_QUORUM},
                                                {.name = "a.log.17", .kind = QUEUE_STREAM}};
static const struct publication_spec some_publications[] = {
    {"warren.events", "order.placed", NULL},
    {"warren.commands", "payment.close", NULL},
    {"warren.events", "stock.adjust-x", NULL}};
static const struct topology some_table = {.service = "order-service",
                                           .queues = some_queues,
                                           .queue_count = 2,
                                           .publications = some_publications,
                                           .publication_count = 3};

static void rights_follow_from_the_table(void)
{
    static const struct topology mute = {.service = "mute"};
    struct buf text = {0};
    rights_read(&some_table, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "^(order\\.commands|a\\.log\\.[0-9]+)$");
    buf_clear(&text);
    rights_write(&some_table, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "^(warren\\.events|warren\\.commands)$");
    buf_clear(&text);
    rights_publish(&some_table, "warren.events", &text);
    CU_ASSERT_STRING_EQUAL(text.data, "^(order\\.placed|stock\\.adjust-x)$");
    buf_clear(&text);
    rights_publish(&mute, "warren.events", &text);
    CU_ASSERT_STRING_EQUAL(text.data, "^$");
    buf_clear(&text);
    rights_read(&mute, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "^$");
    buf_clear(&text);
    rights_write(&mute, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "^$");
    buf_release(&text);
}

static void the_broker_knows_passwords_by_hash_only(void)
{
    struct suite suite = suite_here("broker");
    struct buf text = {0};
    char secret[BROKER_SECRET_SIZE];
    char again[BROKER_SECRET_SIZE];
    CU_ASSERT_EQUAL_FATAL(directory_make_all(suite.home, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(broker_make_secrets(&suite, clock_system(), NULL), OK);
    CU_ASSERT_EQUAL_FATAL(broker_secret(&suite, "order-service", secret, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(broker_make_secrets(&suite, clock_system(), NULL), OK);
    CU_ASSERT_EQUAL_FATAL(broker_secret(&suite, "order-service", again, NULL), OK);
    CU_ASSERT_STRING_EQUAL(secret, again);
    CU_ASSERT_EQUAL(strlen(secret), 64);
    CU_ASSERT_EQUAL_FATAL(broker_secret(&suite, "edge-service", again, NULL), OK);
    CU_ASSERT_STRING_NOT_EQUAL(secret, again);
    CU_ASSERT_EQUAL_FATAL(
        broker_configure(&suite, clock_system(), &(const struct topology *){&some_table}, 1, NULL),
        OK);
    CU_ASSERT_EQUAL_FATAL(
        file_load(suite_path(&suite, "broker/definitions/1-rights.json").text, &text, NULL), OK);
    CU_ASSERT_PTR_NULL(strstr(text.data, secret));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "rabbit_password_hashing_sha256"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "\"guest\""));
    /* With Khepri before 4.2 topic permissions must come behind their exchange. */
    CU_ASSERT_PTR_NULL(strstr(text.data, "topic_permissions"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, EXCHANGE_EVENTS));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, EXCHANGE_COMMANDS));
    buf_clear(&text);
    CU_ASSERT_EQUAL_FATAL(
        file_load(suite_path(&suite, "broker/definitions/2-topics.json").text, &text, NULL), OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "topic_permissions"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "password"));
    buf_clear(&text);
    CU_ASSERT_EQUAL_FATAL(file_load(suite_path(&suite, "broker/rabbitmq.conf").text, &text, NULL),
                          OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "listeners.tcp.1 = 127.0.0.1:20010\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "disk_free_limit.absolute = 200MB\n"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "0.0.0.0"));
    buf_release(&text);
}

/* A build tree of four programs that do nothing. */
static void program_make(struct suite *suite, const char *name)
{
    struct suite_path path = suite_path(suite, "%s", name);
    CU_ASSERT_EQUAL_FATAL(file_write(path.text, "#!/bin/sh\n", 10, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(chmod(path.text, 0700), 0);
}

static void programs_make(struct suite *suite)
{
    setenv("WARREN_EXEC_PATH", suite->home, 1);
    CU_ASSERT_EQUAL_FATAL(directory_make_all(suite->home, NULL), OK);
    program_make(suite, "warren-warden");
    for (size_t i = 0; i < suite_service_count; i++)
        program_make(suite, suite_services[i].name);
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    while ((text = strstr(text, word))) {
        count++;
        text++;
    }
    return count;
}

static void the_supervisor_starts_what_was_asked_for(void)
{
    struct suite suite = suite_here("programs");
    struct plan plan = {.instances = 2};
    struct buf own = {0};
    struct buf external = {0};
    programs_make(&suite);
    CU_ASSERT_EQUAL_FATAL(supervisor_write_config(&suite, &plan, &own, NULL), OK);
    CU_ASSERT_EQUAL(count_of(own.data, "[program:"), 3 + 2 * suite_service_count);
    CU_ASSERT_EQUAL(count_of(own.data, "\nenvironment="), 3 + 2 * suite_service_count);
    CU_ASSERT_EQUAL(count_of(own.data, "warren-warden\" --home"), 2);
    CU_ASSERT_EQUAL(count_of(own.data, "--unsafe"), 0);
    plan = (struct plan){.instances = 1, .amqp_url = "amqp://u:p%40q@host"};
    plan.without.items[plan.without.count++] = "inbox";
    CU_ASSERT_EQUAL_FATAL(supervisor_write_config(&suite, &plan, &external, NULL), OK);
    CU_ASSERT_EQUAL(count_of(external.data, "[program:"), suite_service_count);
    CU_ASSERT_EQUAL(count_of(external.data, "; WARREN_AMQP_URL "), 1);
    CU_ASSERT_EQUAL(count_of(external.data, "p%"), 0);
    CU_ASSERT_EQUAL(count_of(external.data, "--amqp-url"), 0);
    CU_ASSERT_EQUAL(count_of(external.data, "--without \"inbox\" --unsafe"), suite_service_count);
    buf_release(&own);
    buf_release(&external);
    unsetenv("WARREN_EXEC_PATH");
}

static void somebody_elses_broker_is_watched_where_it_tells(void)
{
    struct suite suite = suite_here("watched");
    struct plan plan = {
        .instances = 1, .amqp_url = "amqp://host", .management_url = "http://u:secret@host:15672"};
    struct buf text = {0};
    programs_make(&suite);
    CU_ASSERT_EQUAL_FATAL(supervisor_write_config(&suite, &plan, &text, NULL), OK);
    CU_ASSERT_EQUAL(count_of(text.data, "[program:"), 1 + suite_service_count);
    CU_ASSERT_EQUAL(count_of(text.data, "warren-warden\" --home"), 1);
    CU_ASSERT_EQUAL(count_of(text.data, " --watch\n"), 1);
    CU_ASSERT_EQUAL(count_of(text.data, "secret"), 0);
    buf_release(&text);
    unsetenv("WARREN_EXEC_PATH");
}

static void a_url_is_taken_apart(void)
{
    static const struct {
        const char *url, *base, *user, *password;
    } rows[] = {
        {"http://host:15672", "http://host:15672", "", ""},
        {"https://u:p%40q@host/", "https://host", "u", "p@q"},
        {"http://u@[::1]:15672/prefix/", "http://[::1]:15672/prefix", "u", ""},
        {"ftp://host", NULL, NULL, NULL},
        {"http://host?x=1", NULL, NULL, NULL},
        {"host:15672", NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char base[128] = "", user[32] = "", password[32] = "";
        enum result result =
            http_url_split(rows[i].url, base, sizeof base, user, password, sizeof user, NULL);
        CU_ASSERT_EQUAL(result, rows[i].base ? OK : INVALID);
        if (result != OK || !rows[i].base)
            continue;
        CU_ASSERT_STRING_EQUAL(base, rows[i].base);
        CU_ASSERT_STRING_EQUAL(user, rows[i].user);
        CU_ASSERT_STRING_EQUAL(password, rows[i].password);
    }
}

static void stores_and_broker_belong_together_or_not(void)
{
    static const struct {
        enum identity_stores stores;
        enum identity_broker broker;
        enum identity_log log;
        enum identity_verdict verdict;
    } rows[] = {
        {STORES_HELD, BROKER_OURS, LOG_HOLDS_FACTS, IDENTITY_FITS},
        {STORES_HELD, BROKER_OTHERS, LOG_NONE, IDENTITY_OTHERS},
        {STORES_HELD, BROKER_NOBODYS, LOG_NONE, IDENTITY_CLAIM}, /* wiped */
        {STORES_HELD, BROKER_NOBODYS, LOG_HOLDS_FACTS, IDENTITY_STRAY},
        {STORES_OLD, BROKER_NOBODYS, LOG_HOLDS_FACTS, IDENTITY_CLAIM}, /* from before ids */
        {STORES_OLD, BROKER_NOBODYS, LOG_NONE, IDENTITY_CLAIM},
        {STORES_OLD, BROKER_OTHERS, LOG_HOLDS_FACTS, IDENTITY_OTHERS},
        {STORES_OLD, BROKER_OURS, LOG_HOLDS_FACTS, IDENTITY_FITS}, /* died between the two */
        {STORES_NEW, BROKER_NOBODYS, LOG_NONE, IDENTITY_CLAIM},
        {STORES_NEW, BROKER_NOBODYS, LOG_HOLDS_FACTS, IDENTITY_STRAY},
        {STORES_NEW, BROKER_OTHERS, LOG_HOLDS_FACTS, IDENTITY_OTHERS},
        {STORES_NEW, BROKER_OTHERS, LOG_NONE, IDENTITY_OTHERS},
        {STORES_NEW, BROKER_OURS, LOG_NONE, IDENTITY_FITS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(identity_decide(rows[i].stores, rows[i].broker, rows[i].log),
                        rows[i].verdict);
}

static void restarts_are_counted_since_the_last_start(void)
{
    struct suite suite = suite_here("restarts");
    static const char log[] = "INFO supervisord started with pid 1\n"
                              "INFO spawned: 'edge-service-1' with pid 2\n"
                              "INFO spawned: 'edge-service-1' with pid 3\n"
                              "INFO supervisord started with pid 4\n"
                              "INFO spawned: 'edge-service-1' with pid 5\n"
                              "INFO spawned: 'edge-service-10' with pid 6\n"
                              "INFO spawned: 'edge-service-1' with pid 7\n";
    CU_ASSERT_EQUAL(supervisor_restarts(&suite, "edge-service-1"), 0);
    CU_ASSERT_EQUAL_FATAL(directory_make_all(suite_path(&suite, "log").text, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(
        file_write(suite_path(&suite, "log/supervisord.log").text, log, strlen(log), NULL), OK);
    CU_ASSERT_EQUAL(supervisor_restarts(&suite, "edge-service-1"), 1);
    CU_ASSERT_EQUAL(supervisor_restarts(&suite, "edge-service-10"), 0);
    CU_ASSERT_EQUAL(supervisor_restarts(&suite, "order-service-1"), 0);
}

static void a_taken_port_has_an_owner(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    struct process_entry owner;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    CU_ASSERT_FATAL(listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    CU_ASSERT_TRUE(process_listens(ntohs(address.sin_port), &owner));
    CU_ASSERT_EQUAL(owner.pid, getpid());
    close(fd);
    CU_ASSERT_FALSE(process_listens(ntohs(address.sin_port), &owner));
}

static void only_marked_processes_are_ours(void)
{
    struct suite suite = suite_here("marked");
    struct suite other = suite_here("mark");
    struct process_entry found[4];
    char mark[SUITE_HOME_SIZE + 32];
    int started[2];
    char byte;
    CU_ASSERT_EQUAL(process_of_suite(&suite, found, 4), 0);
    snprintf(mark, sizeof mark, "%s=%s", PROCESS_MARK, suite.home);
    CU_ASSERT_EQUAL_FATAL(pipe2(started, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        char *const arguments[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};
        char *const variables[] = {mark, NULL};
        execve("/bin/sleep", arguments, variables);
        _exit(1);
    }
    close(started[1]); /* its copy closes with the exec */
    CU_ASSERT_EQUAL(read(started[0], &byte, 1), 0);
    CU_ASSERT_EQUAL(process_of_suite(&suite, found, 4), 1);
    CU_ASSERT_EQUAL(found[0].pid, child);
    CU_ASSERT_STRING_EQUAL(found[0].name, "sleep");
    CU_ASSERT_EQUAL(process_of_suite(&other, found, 4), 0);
    CU_ASSERT(process_rss_bytes(child) > 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CU_ASSERT_EQUAL(process_of_suite(&suite, found, 4), 0);
    close(started[0]);
}

static void money_reads_well(void)
{
    CU_ASSERT_STRING_EQUAL(money_text(5, "EUR").text, "0.05 EUR");
    CU_ASSERT_STRING_EQUAL(money_text(123456, "EUR").text, "1234.56 EUR");
}

static const struct unit_case cases[] = {
    {"a home becomes absolute", a_home_becomes_absolute},
    {"a home is a line of text", a_home_is_a_line_of_text},
    {"the port of the last start is remembered", the_port_of_the_last_start_is_remembered},
    {"a long home has its socket elsewhere", a_long_home_has_its_socket_elsewhere},
    {"a file is private and whole", a_file_is_private_and_whole},
    {"rights follow from the table", rights_follow_from_the_table},
    {"the broker knows passwords by hash only", the_broker_knows_passwords_by_hash_only},
    {"the supervisor starts what was asked for", the_supervisor_starts_what_was_asked_for},
    {"somebody else's broker is watched where it tells",
     somebody_elses_broker_is_watched_where_it_tells},
    {"a URL is taken apart", a_url_is_taken_apart},
    {"stores and broker belong together or not", stores_and_broker_belong_together_or_not},
    {"restarts are counted since the last start", restarts_are_counted_since_the_last_start},
    {"a taken port has an owner", a_taken_port_has_an_owner},
    {"only marked processes are ours", only_marked_processes_are_ours},
    {"money reads well", money_reads_well},
};

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

int main(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(place, sizeof place, "%.200s/warren-cli-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(place))
        return 1;
    int status = unit_run("cli", cases, sizeof cases / sizeof cases[0]);
    nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
