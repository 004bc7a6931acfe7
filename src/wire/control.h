/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - supervisor <-> child: one tag byte, sometimes with descriptors (io_send_fds). The
 * supervisor parses nothing else, ever.
 *
 * Every child is started with descriptor 3 = its control socket. All else comes over it. A child
 * ends when its control socket closes.
 */
#ifndef AV_WIRE_CONTROL_H
#define AV_WIRE_CONTROL_H

#define CONTROL_FD 3

enum control_tag {
	/* supervisor -> child, with descriptors */
	CONTROL_BROKER_KEEPER =
	    'k', /* 1 fd: to keeper: its end of a new broker channel; to broker: its end */
	CONTROL_BROKER_JUDGE = 'j', /* 1 fd: likewise between broker and judge */
	CONTROL_KEEPER_JUDGE = 'e', /* 1 fd: likewise between keeper and judge */
	CONTROL_AGENT_SOCKET = 'a', /* 1 fd: listening agent socket, to the broker */
	CONTROL_OPERATOR_SOCKET = 'o', /* 1 fd: listening operator socket, to the keeper */
	CONTROL_AGENT_CONNECTION =
	    'c', /* 1 fd: to the broker, instead: the one agent, connected (--private) */
	CONTROL_OPERATOR_CONNECTION =
	    'p', /* 1 fd: to the keeper, instead: the one operator, connected */
	CONTROL_STOP = 's', /* finish what runs (broker: at most 10 s), then exit 0 */
	CONTROL_RELOAD = 'r', /* 1 fd: to the broker: a pipe with its limits, lines `--flag N` */
	/* child -> supervisor */
	CONTROL_READY = 'R', /* set up, confined, working */
	CONTROL_JUDGE_SILENT =
	    'K', /* broker: the judge missed its deadline or makes no sense; kill and restart it */
	CONTROL_KEEPER_LOST = 'L', /* broker: its channel to the keeper has ended; wants another */
	CONTROL_WANT_STOP = 'S', /* keeper: an operator asked the daemon to stop */
	CONTROL_WANT_RESTART = 'T', /* keeper: an operator asked for a restart */
	CONTROL_BUSY = 'B', /* broker: a call runs; keeper: unlocked or followed (idle exit) */
	CONTROL_IDLE = 'I', /* no longer */
};

#endif
