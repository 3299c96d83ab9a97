/* The least that a server can do: what the kernel costs, and as good as nothing else. `least PORT`.

   /echo sends back, anything else is one group. What one read brought leaves in one write for each socket. It knows
   the one key that the load generators send, checks nothing, and ends where a client does not read. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define ANSWER \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

struct client {
    int fd, place, echo, opened;
    size_t kept;     /* bytes that were read and begin a frame, or a request, that is not whole */
    char *rest;
};

static struct client **all;
static int count, room, poller;
static char in[2 * READ_BYTES], out[2 * READ_BYTES];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void leave(struct client *c) {
    close(c->fd);
    all[c->place] = all[--count];
    all[c->place]->place = c->place;
    free(c->rest);
    free(c);
}

static void enter(int fd) {
    struct client *c = calloc(1, sizeof *c);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;
    if (count == room) all = realloc(all, (room = 2 * room + 64) * sizeof *all);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->fd = fd, c->place = count;
    all[count++] = c;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("cannot watch a socket");
}

static void tell(struct client *c, size_t size) {
    ssize_t wrote = send(c->fd, out, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote >= 0 ? wrote < (ssize_t)size : errno == EAGAIN) fail("a client does not read");
}

/* Takes the frames that are whole and writes them unmasked behind each other; returns the bytes taken, or -1 at a close. */
static ssize_t take(char *data, size_t size, size_t *written) {
    unsigned char *at = (unsigned char *)data, *end = at + size;
    *written = 0;
    while (end - at >= 6) {
        uint64_t length = at[1] & 0x7f;
        int header = length < 126 ? 2 : length == 126 ? 4 : 10;
        if (end - at < header + 4) break;
        if (header > 2) {
            length = 0;
            for (int i = 2; i < header; i++) length = length << 8 | at[i];
        }
        unsigned char *mask = at + header, *payload = mask + 4;
        if (length > READ_BYTES || (uint64_t)(end - payload) < length) break;
        if (at[0] == 0x88) return -1;
        memcpy(out + *written, at, header);
        out[*written + 1] &= 0x7f;
        for (uint64_t i = 0; i < length; i++) out[*written + header + i] = payload[i] ^ mask[i & 3];
        if (!(at[0] & 0x08)) *written += header + length;
        at = payload + length;
    }
    return (char *)at - data;
}

static void keep(struct client *c, const char *data, size_t size) {
    free(c->rest);
    c->rest = size ? memcpy(malloc(size), data, size) : NULL;
    c->kept = size;
}

static void read_once(struct client *c) {
    memcpy(in, c->rest, c->kept);
    ssize_t got = recv(c->fd, in + c->kept, READ_BYTES - c->kept, 0);
    if (got <= 0) {
        leave(c);
        return;
    }
    size_t size = c->kept + got, written;
    if (!c->opened) {
        char *end = memmem(in, size, "\r\n\r\n", 4);
        if (!end) {
            keep(c, in, size);
            return;
        }
        c->opened = 1, c->echo = !strncmp(in, "GET /echo ", 10);
        if (send(c->fd, ANSWER, strlen(ANSWER), MSG_NOSIGNAL) < 0) fail("cannot answer");
        keep(c, end + 4, size - (end + 4 - in));
        return;
    }
    ssize_t taken = take(in, size, &written);
    if (taken < 0) {
        leave(c);
        return;
    }
    keep(c, in + taken, size - taken);
    if (!written) return;
    if (c->echo) tell(c, written);
    else
        for (int i = 0; i < count; i++) {
            if (all[i]->opened && !all[i]->echo) tell(all[i], written);
        }
}

int main(int argc, char **argv) {
    struct rlimit files;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 2) return fputs("usage: least PORT\n", stderr), 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    here.sin_port = htons(atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 2048)) fail("cannot listen");
    poller = epoll_create1(0);
    struct epoll_event events[256], event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < found; i++) {
            if (events[i].data.ptr) {
                read_once(events[i].data.ptr);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0) enter(fd);
        }
    }
}
