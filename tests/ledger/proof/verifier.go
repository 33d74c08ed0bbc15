// The second verifier: what the Go team's own packages for signed notes and transparent logs say of our files.
//
//	verifier KEY checkpoint NOTE               is the note a checkpoint signed by the key?
//	verifier KEY proof FILE                    is the entry in a tlog-proof in the tree of its checkpoint?
//	verifier KEY consistency OLD NEW PROOFS    does NEW's tree begin with OLD's, by a bundle's file of proofs?
//
// KEY is the verifier key's line, the others are files. Exit code 0: yes. 1: no, with the reason.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](found T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return found
}

func read(path string) string { return string(must(os.ReadFile(path))) }

func number(text string) int64 { return must(strconv.ParseInt(text, 10, 64)) }

func hashes(lines []string) (found []tlog.Hash) {
	for _, line := range lines {
		found = append(found, must(tlog.ParseHash(line)))
	}
	return found
}

func open(signed, key string) (int64, tlog.Hash) {
	verifier := must(note.NewVerifier(key))
	text := must(note.Open([]byte(signed), note.VerifierList(verifier))).Text
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		must(0, fmt.Errorf("not a checkpoint of %s", verifier.Name()))
	}
	return number(lines[1]), must(tlog.ParseHash(lines[2]))
}

func main() {
	key, what, files := os.Args[1], os.Args[2], os.Args[3:]
	var size int64
	var root tlog.Hash
	switch what {
	case "checkpoint":
		size, root = open(read(files[0]), key)
	case "proof":
		head, signed, _ := strings.Cut(read(files[0]), "\n\n")
		lines := strings.Split(head, "\n")
		entry := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
		size, root = open(signed, key)
		index := number(strings.TrimPrefix(lines[2], "index "))
		must(0, tlog.CheckRecord(hashes(lines[3:]), size, root, index, tlog.RecordHash(entry)))
	case "consistency":
		before, old := open(read(files[0]), key)
		size, root = open(read(files[1]), key)
		for _, proof := range strings.Split(strings.TrimSuffix(read(files[2]), "\n"), "\n\n") {
			lines := strings.Split(proof, "\n")
			if lines[0] == fmt.Sprintf("%d %d", before, size) {
				must(0, tlog.CheckTree(hashes(lines[1:]), size, root, before, old))
				fmt.Printf("%d entries go on from %d\n", size, before)
				return
			}
		}
		must(0, fmt.Errorf("there is no proof from %d to %d entries", before, size))
	}
	fmt.Printf("%d entries, root %s\n", size, root)
}
