/* simulate: many seeds, or one with a readable trace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/options.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/run.h"

enum { JOBS_MAX = 16, FULL_COVERAGE_SEEDS = 1000, REPORT_SIZE = 4096 };

static struct {
    int64_t seeds, from, jobs, mutant_seeds;
    bool trace, mutants, verbose;
    const char *without, *with;
} options = {.seeds = 200, .from = 1, .jobs = 2, .mutant_seeds = 400};

/* What the jobs tell their parent, in memory shared with it. */
struct job {
    struct coverage coverage;
    uint64_t seed; /* the one at work, or the one that is red */
    bool red;
    bool broken[8];
    char report[REPORT_SIZE];
    pid_t pid;
};

struct board {
    volatile bool stop; /* somebody is red */
    struct job jobs[JOBS_MAX];
};

static struct board *board_new(void)
{
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    memset(board, 0, sizeof *board);
    return board;
}

/* As many whole lines as there is room for. */
static void keep_report(struct job *job, const struct buf *report)
{
    size_t size = report->size < sizeof job->report ? report->size : sizeof job->report - 1;
    while (size > 0 && report->data[size - 1] != '\n')
        size--;
    memcpy(job->report, report->data, size);
    job->report[size] = '\0';
}

static void work(struct board *board, struct job *job, uint64_t first, uint64_t end,
                 uint64_t stride, const struct switches *switches)
{
    for (uint64_t seed = first; seed < end && !board->stop; seed += stride) {
        struct run_result result;
        job->seed = seed;
        run_seed(seed, switches, options.trace, &job->coverage, &result);
        if (options.verbose)
            printf("seed %" PRIu64 ": %" PRIu64 " steps, %" PRId64 " ms\n", seed, result.steps,
                   result.virtual_ms);
        if (result.red) {
            job->red = true;
            memcpy(job->broken, result.broken, sizeof job->broken);
            keep_report(job, &result.report);
            board->stop = true;
        }
        buf_release(&result.report);
    }
}

static void start_jobs(struct board *board, uint64_t from, uint64_t seeds, uint64_t jobs,
                       const struct switches *switches)
{
    fflush(stdout);
    for (uint64_t i = 0; i < jobs; i++) {
        pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            exit(1);
        }
        if (pid == 0) {
            work(board, &board->jobs[i], from + i, from + seeds, jobs, switches);
            fflush(stdout);
            _exit(0);
        }
        board->jobs[i].pid = pid;
    }
}

/* A job that ended by itself or by a signal has found something too. */
static void wait_jobs(struct board *board, uint64_t jobs)
{
    for (uint64_t i = 0; i < jobs; i++) {
        int status = 0;
        struct job *job = &board->jobs[i];
        while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        job->red = true;
        board->stop = true;
        snprintf(job->report, sizeof job->report, "  it died: %s %d\n",
                 WIFSIGNALED(status) ? "signal" : "exit status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
}

/* The red job with the lowest seed; NULL: all green. */
static const struct job *run_many(struct board *board, uint64_t from, uint64_t seeds,
                                  const struct switches *switches, struct coverage *sum)
{
    uint64_t jobs = (uint64_t)options.jobs;
    const struct job *red = NULL;
    if (options.trace && seeds == 1)
        work(board, &board->jobs[0], from, from + 1, 1, switches);
    else
        start_jobs(board, from, seeds, jobs, switches);
    if (!(options.trace && seeds == 1))
        wait_jobs(board, jobs);
    for (uint64_t i = 0; i < jobs; i++) {
        const struct job *job = &board->jobs[i];
        coverage_add(sum, &job->coverage);
        if (job->red && (!red || job->seed < red->seed))
            red = job;
    }
    return red;
}

static void print_red(const struct job *red, const char *without)
{
    printf("seed %" PRIu64 " is red:\n%s", red->seed, red->report);
    printf("replay: tests/simulation/simulate --seeds 1 --from %" PRIu64 "%s%s --trace\n",
           red->seed, without ? " --without " : "", without ? without : "");
}

static int simulate(void)
{
    struct switches switches = switches_all_on();
    struct err err = {{0}};
    if (options.without && switches_turn_off(&switches, options.without, &err) != OK) {
        fprintf(stderr, "simulate: %s\n", err.text);
        return EXIT_USAGE;
    }
    struct board *board = board_new();
    struct coverage sum = {0};
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    const struct job *red =
        run_many(board, (uint64_t)options.from, (uint64_t)options.seeds, &switches, &sum);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (red) {
        print_red(red, options.without);
        return 1;
    }
    if (options.trace)
        return 0;
    size_t missing = coverage_print(&sum);
    printf("%" PRIu64 " seeds green, %.1f s\n", sum.seeds,
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    if (missing > 0 && options.seeds >= FULL_COVERAGE_SEEDS) {
        printf("%zu things were never reached: such a run proves too little\n", missing);
        return 1;
    }
    return 0;
}

static void print_broken(const struct job *red)
{
    for (int p = 0; p < 8; p++)
        if (red->broken[p])
            printf(" %d", p);
}

static void print_first_lines(const char *text, int lines)
{
    for (; lines > 0 && *text; lines--) {
        int size = (int)strcspn(text, "\n") + 1;
        printf("%.*s", size, text);
        text += size;
    }
}

/* Each switch turned off must be found out. */
static int mutants(void)
{
    int survivors = 0;
    const char *name;
    for (size_t i = 0; (name = switches_name(i)); i++) {
        if (options.without && strcmp(name, options.without) != 0)
            continue;
        struct switches switches = switches_all_on();
        struct coverage sum = {0};
        if (switches_turn_off(&switches, name, NULL) != OK)
            return 1;
        struct board *board = board_new();
        const struct job *red = run_many(board, (uint64_t)options.from,
                                         (uint64_t)options.mutant_seeds, &switches, &sum);
        printf("%-20s", name);
        if (red) {
            printf(" found at seed %" PRIu64 ", promise", red->seed);
            print_broken(red);
            printf("\n");
            print_first_lines(red->report, 3);
        } else {
            printf(" SURVIVED %" PRIu64 " seeds\n", sum.seeds);
            survivors++;
        }
        munmap(board, sizeof *board);
    }
    printf("%d of the switches can be turned off unnoticed\n", survivors);
    return survivors > 0;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {
        {.name = "seeds",
         .kind = OPTION_INT,
         .value = &options.seeds,
         .metavar = "N",
         .help = "how many",
         .min = 1,
         .max = 1000000000},
        {.name = "from",
         .kind = OPTION_INT,
         .value = &options.from,
         .metavar = "S",
         .help = "the first seed",
         .min = 0,
         .max = INT64_MAX / 4},
        {.name = "jobs",
         .kind = OPTION_INT,
         .value = &options.jobs,
         .metavar = "N",
         .help = "processes at the same time",
         .min = 1,
         .max = JOBS_MAX},
        {.name = "trace",
         .kind = OPTION_FLAG,
         .value = &options.trace,
         .help = "tell what happens"},
        {.name = "verbose",
         .kind = OPTION_FLAG,
         .value = &options.verbose,
         .help = "a line for each seed"},
        {.name = "without",
         .kind = OPTION_TEXT,
         .value = &options.without,
         .metavar = "SWITCH",
         .help = "turn one guarantee off"},
        {.name = "with",
         .kind = OPTION_TEXT,
         .value = &options.with,
         .metavar = "FAULT",
         .help = "also a fault that nothing is made for yet, and that turns runs red: cut-log"},
        {.name = "mutants",
         .kind = OPTION_FLAG,
         .value = &options.mutants,
         .help = "turn each guarantee off in turn, and expect a violation"},
        {.name = "mutant-seeds",
         .kind = OPTION_INT,
         .value = &options.mutant_seeds,
         .metavar = "N",
         .help = "seeds for each of them at most",
         .min = 1,
         .max = 1000000},
    };
    static const struct options spec = {
        .program = "simulate",
        .synopsis = "[--seeds N] [--from S] [--trace] [--without SWITCH] [--with FAULT] | "
                    "--mutants",
        .about = "Runs the whole suite in one process, from one seed, and judges it.",
        .table = table,
        .count = sizeof table / sizeof table[0],
    };
    options_parse(&spec, argc, argv);
    struct err err = {""};
    if (options.with && chance_add(options.with, &err) != OK) {
        fprintf(stderr, "simulate: --with: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (options.trace)
        setvbuf(stdout, NULL, _IOLBF, 0); /* services write to the same file by themselves */
    return options.mutants ? mutants() : simulate();
}
