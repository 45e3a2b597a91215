#include "cli/suite.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/files.h"
#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/json.h"

const struct suite_service suite_services[] = {
    {"order-service", PORT_ORDER},
    {"payment-service", PORT_PAYMENT},
    {"notification-service", PORT_NOTIFICATION},
    {"edge-service", PORT_EDGE},
};
const size_t suite_service_count = sizeof suite_services / sizeof suite_services[0];

const struct suite_store suite_stores[] = {
    {"order-service", "store/order.db"},
    {"payment-service", "store/payment.db"},
    {"notification-service", "store/notification.db"},
};
const size_t suite_store_count = sizeof suite_stores / sizeof suite_stores[0];

/* The directory of the running program, and whether it stands in a build tree (then *ret_root is
 * the tree's top). */
static bool own_directory(struct suite_path *ret_directory, struct suite_path *ret_root)
{
    char link[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", link, sizeof link - 1);
    if (size <= 0)
        size = 0;
    link[size] = '\0';
    char *slash = strrchr(link, '/');
    if (slash)
        *slash = '\0';
    snprintf(ret_directory->text, sizeof ret_directory->text, "%.900s", link);
    for (int up = 0; up < 2; up++) {
        struct suite_path mark;
        snprintf(mark.text, sizeof mark.text, "%.900s/config.status", link);
        if (access(mark.text, F_OK) == 0) {
            snprintf(ret_root->text, sizeof ret_root->text, "%.900s", link);
            return true;
        }
        slash = strrchr(link, '/');
        if (!slash)
            break;
        *slash = '\0';
    }
    return false;
}

static enum result home_default(char *home, size_t size, struct err *err)
{
    struct suite_path directory;
    struct suite_path root;
    if (own_directory(&directory, &root)) {
        snprintf(home, size, "%.500s/var", root.text);
        return OK;
    }
    const char *state = getenv("XDG_STATE_HOME");
    if (state && state[0] == '/') {
        snprintf(home, size, "%s/warren", state);
        return OK;
    }
    const char *user_home = getenv("HOME");
    if (!user_home || user_home[0] != '/') {
        const struct passwd *user = getpwuid(getuid());
        user_home = user ? user->pw_dir : NULL;
    }
    if (!user_home || user_home[0] != '/')
        return err_set(err, INVALID, "no home directory: say --home DIR");
    snprintf(home, size, "%s/.local/state/warren", user_home);
    return OK;
}

static enum result home_absolute(const char *given, char *home, size_t size, struct err *err)
{
    char here[PATH_MAX] = "";
    if (!given[0])
        return err_set(err, INVALID, "--home: must not be empty");
    if (given[0] != '/' && !getcwd(here, sizeof here))
        return err_set(err, INVALID, "--home %s: %s", given, strerror(errno));
    int length = snprintf(home, size, "%s%s%s", here, here[0] ? "/" : "", given);
    if (length < 0 || (size_t)length >= size)
        return err_set(err, INVALID, "--home: longer than %zu bytes", size - 1);
    while (length > 1 && home[length - 1] == '/')
        home[--length] = '\0';
    return OK;
}

static bool is_utf8(const char *text)
{
    const struct json_limits limits = {8 * SUITE_HOME_SIZE, 1};
    struct buf quoted = {0};
    cJSON *json = NULL;
    json_write_text(&quoted, text);
    bool valid = json_parse(quoted.data, quoted.size, &limits, &json, NULL) == OK;
    cJSON_Delete(json);
    buf_release(&quoted);
    return valid;
}

/* The home's name stands in a configuration file of lines, which is read as UTF-8. */
static enum result home_check(const char *home, struct err *err)
{
    for (const char *at = home; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return err_set(err, INVALID,
                           "--home: a control character stands in the name of the home");
    if (!is_utf8(home))
        return err_set(err, INVALID, "--home %s: the name of a home is UTF-8", home);
    return OK;
}

/* The port that `warren up` has written into the home. 0: none. */
static int recorded_port(const struct suite *suite)
{
    char text[32];
    if (file_read(suite_path(suite, "run/base-port").text, text, sizeof text, NULL) != OK)
        return 0;
    long port = strtol(text, NULL, 10);
    return port >= SUITE_PORT_MIN && port <= SUITE_PORT_MAX ? (int)port : 0;
}

enum result suite_resolve(const struct suite_options *options, struct suite *ret_suite,
                          struct err *err)
{
    struct suite suite = {.base_port = (int)options->base_port};
    enum result result = options->home
                             ? home_absolute(options->home, suite.home, sizeof suite.home, err)
                             : home_default(suite.home, sizeof suite.home, err);
    if (result == OK)
        result = home_check(suite.home, err);
    if (result != OK)
        return result;
    if (suite.base_port == 0)
        suite.base_port = recorded_port(&suite);
    if (suite.base_port == 0)
        suite.base_port = SUITE_PORT_DEFAULT;
    *ret_suite = suite;
    return OK;
}

struct suite suite_resolve_or_exit(const char *program, const struct suite_options *options)
{
    struct err err = {""};
    struct suite suite = {.base_port = 0};
    if (suite_resolve(options, &suite, &err) != OK) {
        fprintf(stderr, "%s: %s\n", program, err.text);
        exit(CLI_USAGE);
    }
    return suite;
}

struct suite_path suite_path(const struct suite *suite, const char *format, ...)
{
    struct suite_path path;
    int size = snprintf(path.text, sizeof path.text, "%s/", suite->home);
    va_list args;
    va_start(args, format);
    vsnprintf(path.text + size, sizeof path.text - (size_t)size, format, args);
    va_end(args);
    return path;
}

const char *suite_inside(const struct suite *suite, const struct suite_path *path)
{
    size_t size = strlen(suite->home);
    bool inside = strncmp(path->text, suite->home, size) == 0 && path->text[size] == '/';
    return inside ? path->text + size + 1 : path->text;
}

static void private_name(const struct suite *suite, const char *folder, const char *name,
                         struct suite_path *ret_path)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(suite->home, strlen(suite->home), hex);
    snprintf(ret_path->text, sizeof ret_path->text, "%s/warren-%u-%.16s/%s", folder,
             (unsigned)getuid(), hex, name);
}

struct suite_path suite_plain_home(const struct suite *suite)
{
    static const char plain[] = "/._-+@=:,~"
                                "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct suite_path path;
    if (suite->home[strspn(suite->home, plain)] == '\0')
        snprintf(path.text, sizeof path.text, "%s", suite->home);
    else
        private_name(suite, "/dev/shm", "home", &path);
    return path;
}

struct suite_path suite_socket(const struct suite *suite)
{
    enum { NAME_MAX_SAFE = 80 }; /* supervisord first binds a longer name */
    struct suite_path path = suite_path(suite, "run/supervisor.sock");
    if (strlen(path.text) <= NAME_MAX_SAFE)
        return path;
    private_name(suite, "/tmp", "supervisor.sock", &path);
    return path;
}

enum result suite_program(const char *name, struct suite_path *ret_path, struct err *err)
{
    struct suite_path directory;
    struct suite_path root;
    bool tree = own_directory(&directory, &root);
    const char *given = getenv("WARREN_EXEC_PATH");
    struct suite_path places[3] = {{""}, {""}, {""}};
    if (given && *given)
        snprintf(places[0].text, sizeof places[0].text, "%.900s/%s", given, name);
    if (tree) {
        snprintf(places[1].text, sizeof places[1].text, "%.700s/cli/%.100s", root.text, name);
        snprintf(places[2].text, sizeof places[2].text, "%.700s/%.100s/%.100s", root.text, name,
                 name);
    } else {
        snprintf(places[1].text, sizeof places[1].text, "%.900s/%s", directory.text, name);
        snprintf(places[2].text, sizeof places[2].text, "%s/%s", WARREN_LIBEXECDIR, name);
    }
    for (int i = 0; i < 3; i++) {
        if (places[i].text[0] && access(places[i].text, X_OK) == 0) {
            *ret_path = places[i];
            return OK;
        }
    }
    return err_set(err, NOT_FOUND, "the program %s is not there (looked for %s)", name,
                   places[2].text);
}

struct suite_path suite_url(const struct suite *suite, const char *format, ...)
{
    struct suite_path url;
    int size =
        snprintf(url.text, sizeof url.text, "http://127.0.0.1:%d", suite->base_port + PORT_EDGE);
    va_list args;
    va_start(args, format);
    vsnprintf(url.text + size, sizeof url.text - (size_t)size, format, args);
    va_end(args);
    return url;
}
