// Bulk downloads over keep-alive connections, as fast as they come, for a time.
//
//   cc -O2 -o load load.c
//   ./load --port 8080 --path /1g.bin --connections 4 --ms 1000
//
// Each connection asks for the path again and again. `--copy` copies the bytes into this program, as a
// usual client does; without it they are thrown away in the kernel (MSG_TRUNC, tcp(7)), so that the
// processor is the server's. What is printed at the end is one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum { HEAD_BYTES = 8192, TAKE_BYTES = 1 << 20, MAX_CONNECTIONS = 4096, MAX_ANSWERS = 1 << 20 };

struct connection {
  int fd;
  bool in_body, is_last;
  uint64_t remaining, asked_us;
};

static struct connection connections[MAX_CONNECTIONS];
static struct sockaddr_in target = {.sin_family = AF_INET};
static char request[512], scratch[TAKE_BYTES];
static uint32_t *answer_us; // How long each whole answer took.
static uint64_t bytes, answers;
static int epoll_fd, take_flags = MSG_TRUNC;

static void ask(struct connection *connection) {
  size_t length = strlen(request);
  if (send(connection->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) refuse("send: %m");
  connection->in_body = false;
  connection->asked_us = now_us();
}

static void begin(struct connection *connection) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&target, sizeof target) < 0) refuse("connect: %m");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) refuse("epoll_ctl: %m");
  connection->fd = fd;
  ask(connection);
}

static void finish(struct connection *connection) {
  if (answers < MAX_ANSWERS) answer_us[answers] = (uint32_t)(now_us() - connection->asked_us);
  answers++;
  if (!connection->is_last) return ask(connection);
  close(connection->fd); // The server has said that the connection ends with this answer.
  begin(connection);
}

static void take_head(struct connection *connection) {
  char head[HEAD_BYTES + 1];
  ssize_t count = recv(connection->fd, head, HEAD_BYTES, MSG_PEEK | MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) refuse("the server closed a connection without an answer");
  head[count] = 0;
  char *end = strstr(head, "\r\n\r\n");
  if (end == NULL && count < HEAD_BYTES) return;
  int status = 0;
  char *length = strcasestr(head, "\r\nContent-Length:");
  if (end == NULL || sscanf(head, "HTTP/1.%*d %d", &status) != 1 || status != 200) {
    refuse("expected status 200, not %d", status);
  }
  if (length == NULL || length > end) refuse("an answer without Content-Length");
  connection->remaining = strtoull(length + 17, NULL, 10);
  char *closes = strcasestr(head, "\r\nConnection: close");
  connection->is_last = closes != NULL && closes < end;
  recv(connection->fd, head, (size_t)(end + 4 - head), 0);
  connection->in_body = true;
  if (connection->remaining == 0) finish(connection);
}

static void take_body(struct connection *connection) {
  size_t wanted = connection->remaining < TAKE_BYTES ? connection->remaining : TAKE_BYTES;
  ssize_t count = recv(connection->fd, scratch, wanted, take_flags | MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) refuse("the server ended an answer before its end");
  bytes += (uint64_t)count;
  connection->remaining -= (uint64_t)count;
  if (connection->remaining == 0) finish(connection);
}

static int by_size(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

/** Of sorted times, in ms; -1 where no answer came to its end. */
static double part_ms(double part) {
  uint64_t count = answers < MAX_ANSWERS ? answers : MAX_ANSWERS;
  return count == 0 ? -1 : answer_us[(uint64_t)(part * (double)(count - 1))] / 1e3;
}

int main(int count, char **words) {
  int connection_count = 1, ms = 1000;
  const char *path = "/";
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int at = 1; at < count; at++) {
    char *word = words[at];
    if (strcmp(word, "--copy") == 0) take_flags = 0;
    else if (at + 1 == count) refuse("unknown word \"%s\", or nothing behind it", word);
    else if (strcmp(word, "--port") == 0) target.sin_port = htons((uint16_t)atoi(words[++at]));
    else if (strcmp(word, "--path") == 0) path = words[++at];
    else if (strcmp(word, "--connections") == 0) connection_count = atoi(words[++at]);
    else if (strcmp(word, "--ms") == 0) ms = atoi(words[++at]);
    else refuse("unknown word \"%s\"", word);
  }
  if (target.sin_port == 0 || ms < 1) refuse("expected --port, and --ms of 1 or more");
  if (connection_count < 1 || connection_count > MAX_CONNECTIONS) {
    refuse("expected --connections of 1 to %d", MAX_CONNECTIONS);
  }
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path,
           ntohs(target.sin_port));
  alarm((unsigned)ms / 1000 + 20); // Whatever happens, it does not stay.
  answer_us = calloc(MAX_ANSWERS, sizeof *answer_us);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  for (int at = 0; at < connection_count; at++) begin(&connections[at]);

  uint64_t start_us = now_us(), end_us = start_us + (uint64_t)ms * 1000;
  while (now_us() < end_us) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll_fd, events, 256, 50);
    for (int at = 0; at < ready; at++) {
      struct connection *connection = events[at].data.ptr;
      if (connection->in_body) take_body(connection);
      else take_head(connection);
    }
  }
  double seconds = (double)(now_us() - start_us) / 1e6;
  qsort(answer_us, answers < MAX_ANSWERS ? answers : MAX_ANSWERS, sizeof *answer_us, by_size);
  printf("{\"seconds\":%.6f,\"bytes\":%llu,\"answers\":%llu,", seconds,
         (unsigned long long)bytes, (unsigned long long)answers);
  printf("\"p50Ms\":%.3f,\"p99Ms\":%.3f}\n", part_ms(0.5), part_ms(0.99));
  return 0;
}
