/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Numbers that are found behind the header of an IP packet.
 */
#ifndef BPF_TRANSPORT_H
#define BPF_TRANSPORT_H

/* IPv6 next headers that may stand before that of the transport. */
#define OX_NEXT_HOP_BY_HOP 0
#define OX_NEXT_ROUTING 43
#define OX_NEXT_FRAGMENT 44
#define OX_NEXT_AUTHENTICATION 51
#define OX_NEXT_NONE 59
#define OX_NEXT_DESTINATION 60
#define OX_NEXT_MOBILITY 135
#define OX_NEXT_HIP 139
#define OX_NEXT_SHIM6 140

/* Flags of TCP. */
#define OX_TCP_FIN 0x01
#define OX_TCP_SYN 0x02
#define OX_TCP_RST 0x04
#define OX_TCP_ACK 0x10

/* Those that tell the first packet of a connection: SYN, and no other. */
#define OX_TCP_FIRST (OX_TCP_FIN | OX_TCP_SYN | OX_TCP_RST | OX_TCP_ACK)

#endif /* bpf/transport.h */
