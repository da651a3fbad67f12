// Command gen writes config/flink_keys.txt from two tables of Flink's documentation: one with a row per option (key, default, type,
// section) and one with a row per former key (key, former key, kind). Only the names of the keys are kept.
//
// Run in config/: go run ./gen -all ALL.tsv -former FORMER.tsv -o flink_keys.txt
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	all := flag.String("all", "", "table of all options")
	former := flag.String("former", "", "table of former keys")
	out := flag.String("o", "flink_keys.txt", "file to write")
	flag.Parse()

	var lines []string
	for _, row := range rows(*all) {
		key := strings.ReplaceAll(row[0], " ", "")
		if strings.HasPrefix(row[3], "sql_gateway_rest") {
			key = "sql-gateway.endpoint.rest." + key
		}
		// Names without a dot are options of tables and models, written in WITH clauses, never in a configuration.
		if strings.Contains(key, ".") || key == "scheduler-mode" {
			lines = append(lines, key)
		}
	}
	for _, row := range rows(*former) {
		if row[0] != row[1] && (strings.Contains(row[1], ".") || row[1] == "high-availability" || row[1] == "restart-strategy") {
			lines = append(lines, row[1]+" > "+row[0])
		}
	}
	lines = append(lines, "restart-strategy > restart-strategy.type")
	slices.Sort(lines)
	lines = slices.Compact(lines)
	head := "# Option keys that Apache Flink 2.x documents; \"former > today\" is a former key. Written by config/gen.\n"
	if err := os.WriteFile(*out, []byte(head+strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	if _, err := fmt.Fprintln(os.Stderr, len(lines), "keys"); err != nil {
		log.Fatal(err)
	}
}

func rows(path string) [][]string {
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var table [][]string
	for i, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
		row := append(strings.Split(line, "\t"), "", "", "", "")
		if i > 0 {
			table = append(table, row)
		}
	}
	return table
}
