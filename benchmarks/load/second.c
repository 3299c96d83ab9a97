/* The second load generator. It shares no code with the first, and so checks it.

   second PORT PATH CONNECTIONS PAYLOAD PID...

   reads one line for each connection from its stdin (more headers of the handshake, `\t` between them; empty: none),
   opens them all and prints `ready`. From then on it answers the commands

   fanout WINDOW SECONDS   connection 0 keeps WINDOW messages under way: sent, and not yet come back to itself
   echo SECONDS            every connection sends again what has come back

   with one line: messages and reads that brought them, seconds, CPU seconds of the server (the processes PID...), CPU
   seconds of its own. What goes wrong is a line on stderr and exit code 1; a message that is lost is wrong too. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (256 * 1024)
#define WAIT_SECONDS 60.0
#define WARM_UP_SECONDS 0.15
#define QUIET_SECONDS 0.3
#define MOST_PIDS 64
#define MOST_AT_ONCE 64

struct connection {
    int fd;
    long received;            /* messages so far */
    long sent;                /* by this connection */
    uint64_t skip;            /* bytes of a message that are still to come */
    int begun;                /* bytes in `head` */
    unsigned char head[140];  /* a header, or a control frame, of which the rest is still to come */
};

static struct connection *all;
static int count, poller, pids;
static clockid_t clocks[MOST_PIDS];
static unsigned char buffer[READ_BYTES];
static unsigned char *frames; /* MOST_AT_ONCE times the same */
static size_t frame_bytes;
static long messages, reads;
static enum { IDLE, FANOUT, ECHO } mode;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now)) fail("no clock: %s", strerror(errno));
    return now.tv_sec + now.tv_nsec / 1e9;
}

static double server_seconds(void) {
    double total = 0;
    for (int i = 0; i < pids; i++) total += seconds(clocks[i]);
    return total;
}

static void send_bytes(struct connection *to, const void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t wrote = send(to->fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (wrote < 0) fail("cannot send: %s", strerror(errno));
        done += wrote;
    }
}

/* A client's frame (RFC 6455, 5.2). Its mask is zero, so that masking costs nothing; a server cannot tell. */
static size_t make_frame(unsigned char *into, int opcode, const void *payload, size_t size) {
    size_t at = 0;
    into[at++] = 0x80 | opcode;
    if (size < 126) {
        into[at++] = 0x80 | size;
    } else {
        into[at++] = 0x80 | 126;
        into[at++] = size >> 8;
        into[at++] = size & 0xff;
    }
    memset(into + at, 0, 4);
    memcpy(into + at + 4, payload, size);
    return at + 4 + size;
}

/* What is sent at once goes in one write, as the first generator sends it. */
static void publish(struct connection *from, long times) {
    from->sent += times;
    for (; times > 0; times -= MOST_AT_ONCE)
        send_bytes(from, frames, frame_bytes * (times < MOST_AT_ONCE ? times : MOST_AT_ONCE));
}

/* Bytes of a header as far as it is there. */
static int header_bytes(const struct connection *c) {
    if (c->begun < 2 || c->head[1] < 126) return 2;
    return c->head[1] == 126 ? 4 : 10;
}

static void control(struct connection *c, int size) {
    unsigned char pong[140];
    if (c->head[0] == 0x88) fail("closed by the server: %d", size > 1 ? c->head[2] << 8 | c->head[3] : 1005);
    if (c->head[0] == 0x89) send_bytes(c, pong, make_frame(pong, 10, c->head + 2, size));
}

/* Counts the messages in what was read; payloads are skipped unread. */
static long feed(struct connection *c, const unsigned char *data, size_t size) {
    long found = 0;
    while (size) {
        if (c->skip) {
            size_t take = c->skip < size ? c->skip : size;
            c->skip -= take, data += take, size -= take;
            continue;
        }
        c->head[c->begun++] = *data++, size--;
        int header = header_bytes(c);
        if (c->begun < header) continue;
        uint64_t length = c->head[1];
        if (length & 0x80) fail("a masked frame from a server");
        if (header > 2) {
            length = 0;
            for (int i = 2; i < header; i++) length = length << 8 | c->head[i];
        }
        if (c->head[0] & 0x08) {
            if (length > 125) fail("a control frame of %lu bytes", (unsigned long)length);
            if (c->begun < 2 + (int)length) continue;
            control(c, length);
        } else {
            c->skip = length;
            found += c->head[0] >> 7; /* the last frame of a message */
        }
        c->begun = 0;
    }
    return found;
}

static void read_once(struct connection *c) {
    ssize_t size = recv(c->fd, buffer, READ_BYTES, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) fail("the server hung up: %s", size ? strerror(errno) : "end of stream");
    long found = feed(c, buffer, size);
    if (!found) return;
    c->received += found, messages += found, reads++;
    if (mode == ECHO || (mode == FANOUT && c == all)) publish(c, found);
}

/* Waits up to `timeout` seconds for something to read; returns whether a line of stdin is there. */
static int turn(double timeout) {
    struct epoll_event events[1024];
    int told = 0, found = epoll_wait(poller, events, 1024, timeout > 0 ? (int)(timeout * 1000) + 1 : 0);
    for (int i = 0; i < found; i++) {
        if (events[i].data.ptr) read_once(events[i].data.ptr);
        else told = 1;
    }
    return told;
}

static void run(double for_seconds) {
    double until = seconds(CLOCK_MONOTONIC) + for_seconds, left;
    while ((left = until - seconds(CLOCK_MONOTONIC)) > 0) turn(left);
}

static void wait_quiet(void) {
    double deadline = seconds(CLOCK_MONOTONIC) + WAIT_SECONDS;
    long before;
    do {
        before = messages;
        run(QUIET_SECONDS);
        if (seconds(CLOCK_MONOTONIC) > deadline) fail("the server does not come to rest");
    } while (messages != before);
}

static struct sockaddr_in address(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return to;
}

/* Opens one connection and reads its answer; what came behind it is counted. */
static void open_one(struct connection *c, int port, const char *path, const char *headers) {
    char request[4096], answer[8192];
    int size = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", path, port, headers);
    if (size >= (int)sizeof request) fail("a handshake too long");
    struct sockaddr_in to = address(port);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to)) fail("cannot connect: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    send_bytes(c, request, size);
    size_t have = 0;
    char *end = NULL;
    while (!end) {
        ssize_t got = recv(c->fd, answer + have, sizeof answer - 1 - have, 0);
        if (got <= 0) fail("no answer to a handshake");
        have += got, answer[have] = 0;
        end = strstr(answer, "\r\n\r\n");
    }
    if (strncmp(answer, "HTTP/1.1 101", 12)) fail("handshake refused: %.200s", answer);
    feed(c, (unsigned char *)end + 4, have - (end + 4 - answer));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) fail("cannot watch: %s", strerror(errno));
}

/* One line of stdin into `line`, without its end; a tab becomes a line end of HTTP. */
static int read_line(char *line, size_t most) {
    size_t at = 0;
    char next;
    while (read(0, &next, 1) == 1) {
        if (next == '\n') {
            line[at] = 0;
            return 1;
        }
        if (at + 3 > most) fail("a line too long");
        if (next == '\t') line[at++] = '\r', next = '\n';
        line[at++] = next;
    }
    return 0;
}

static int everything_came(int what, const long *before) {
    for (int i = 0; i < count; i++) {
        long due = what == ECHO ? all[i].sent : all[0].sent;
        if (all[i].received - before[i] < due) return 0;
    }
    return 1;
}

static void measure(int what, long window, double for_seconds) {
    long *before = calloc(count, sizeof *before);
    for (int i = 0; i < count; i++) before[i] = all[i].received, all[i].sent = 0;
    mode = what;
    for (int i = 0; i < (what == ECHO ? count : 1); i++) publish(&all[i], window);
    run(WARM_UP_SECONDS);
    long had = messages, had_reads = reads;
    double start = seconds(CLOCK_MONOTONIC), server = server_seconds(), own = seconds(CLOCK_PROCESS_CPUTIME_ID);
    run(for_seconds);
    double took = seconds(CLOCK_MONOTONIC) - start;
    printf("%ld %ld %f %f %f\n", messages - had, reads - had_reads, took, server_seconds() - server,
        seconds(CLOCK_PROCESS_CPUTIME_ID) - own);
    mode = IDLE; /* Nothing is sent any more, and what is under way has to come. */
    double deadline = seconds(CLOCK_MONOTONIC) + WAIT_SECONDS;
    while (!everything_came(what, before)) {
        turn(0.01);
        if (seconds(CLOCK_MONOTONIC) > deadline) fail("a message was lost");
    }
    free(before);
    fflush(stdout);
}

int main(int argc, char **argv) {
    char line[4096];
    if (argc < 6 || argc > 5 + MOST_PIDS) fail("usage: second PORT PATH CONNECTIONS PAYLOAD PID...");
    count = atoi(argv[3]);
    all = calloc(count, sizeof *all);
    size_t size = strlen(argv[4]);
    if (size > 65535) fail("a payload too long");
    frames = malloc(MOST_AT_ONCE * (size + 8));
    frame_bytes = make_frame(frames, 1, argv[4], size);
    for (int i = 1; i < MOST_AT_ONCE; i++) memcpy(frames + i * frame_bytes, frames, frame_bytes);
    for (int i = 5; i < argc; i++)
        if (clock_getcpuclockid(atoi(argv[i]), &clocks[pids++])) fail("there is no process %s", argv[i]);
    poller = epoll_create1(0);
    for (int i = 0; i < count && read_line(line, sizeof line); i++) {
        open_one(&all[i], atoi(argv[1]), argv[2], line);
        if (i % 64 == 63) turn(0);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event)) fail("cannot watch stdin: %s", strerror(errno));
    wait_quiet();
    puts("ready");
    fflush(stdout);
    for (;;) {
        long window;
        double for_seconds;
        if (!turn(0.1)) continue;
        if (!read_line(line, sizeof line)) return 0;
        if (sscanf(line, "fanout %ld %lf", &window, &for_seconds) == 2) measure(FANOUT, window, for_seconds);
        else if (sscanf(line, "echo %lf", &for_seconds) == 1) measure(ECHO, 1, for_seconds);
        else fail("no such command: %s", line);
    }
}
