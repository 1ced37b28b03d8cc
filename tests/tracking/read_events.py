#!/usr/bin/env python3
"""Reads a TensorBoard event file without any of this project's code and prints what it holds.

Usage: read_events.py FILE.  One line a value: TAG STEP VALUE, or TAG STEP image WIDTHxHEIGHT.
Exit status 1, with a message, for a wrong checksum or a message that is not one.
"""
import struct
import sys


def crc32c(data):
    """Bit by bit, from the polynomial's definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        if masked(data[at:at + 8]) != check:
            sys.exit("wrong checksum of a length")
        message = data[at + 12:at + 12 + length]
        if masked(message) != struct.unpack_from("<I", data, at + 12 + length)[0]:
            sys.exit("wrong checksum of a message")
        yield message
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Field number -> list of raw values, of one protobuf message."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        elif kind == 5:
            value, at = data[at:at + 4], at + 4
        else:
            sys.exit(f"unknown wire type {kind}")
        found.setdefault(key >> 3, []).append(value)
    return found


def main():
    events = [fields(message) for message in records(open(sys.argv[1], "rb").read())]
    if events[0][3] != [b"brain.Event:2"]:
        sys.exit("the first event is not the version's")
    times = [struct.unpack("<d", event[1][0])[0] for event in events]
    if times != sorted(times) or times[0] < 1e9:
        sys.exit(f"times do not run on from this century: {times}")
    for event in events[1:]:
        for summary in event[5]:
            for value in map(fields, fields(summary)[1]):
                tag, step = value[1][0].decode(), event[2][0]
                if 2 in value:
                    print(tag, step, "%.6g" % struct.unpack("<f", value[2][0])[0])
                else:
                    image = fields(value[4][0])
                    if image[4][0][:4] != b"\x89PNG":
                        sys.exit("a picture is no PNG")
                    print(tag, step, f"image {image[2][0]}x{image[1][0]}")


main()
