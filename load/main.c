/* warren load: orders at a rate, and what became of every one of them. warren load compare: two such
 * runs side by side. */
#include <string.h>

#include "common/base/buf.h"
#include "load/compare.h"
#include "load/load_run.h"

/* To repeat the run; words with anything unusual in them in quotes. */
static void write_command(int argc, char **argv, struct buf *out)
{
    buf_text(out, "warren load");
    for (int i = 1; i < argc; i++) {
        bool plain = argv[i][0] != '\0' &&
                     strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_.,:/=@+") == strlen(argv[i]);
        buf_printf(out, plain ? " %s" : " '%s'", argv[i]);
    }
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct buf command = {0};
    if (argc > 1 && strcmp(argv[1], "compare") == 0)
        return compare_main(argc - 1, argv + 1);
    settings_read(argc, argv, &settings);
    write_command(argc, argv, &command);
    int status = run_load(&settings, command.data);
    buf_release(&command);
    return status;
}
