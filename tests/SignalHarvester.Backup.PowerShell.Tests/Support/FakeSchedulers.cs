using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>
/// Stand-ins for the operating system's schedulers, to be first on a PATH. Each writes down its calls, and keeps what it gets as the
/// real one would; it refuses a text with the word "refused".
/// </summary>
internal static class FakeSchedulers
{
    /// <summary>A crontab of one account.</summary>
    public const string Crontab = """
        table="$here/crontab.txt"
        case "$1" in
          -l) [ -f "$table" ] && exec cat "$table"; echo "no crontab for tester" >&2; exit 1 ;;
          -r) rm -f "$table" ;;
          -) cat > "$table.$$"; if grep -q refused "$table.$$"; then rm "$table.$$"; echo "errors in crontab file, can't install." >&2; exit 1; fi; mv "$table.$$" "$table" ;;
        esac
        """;

    /// <summary>The Task Scheduler: keeps each task's XML, and returns it in UTF-8, as a console does.</summary>
    public const string Schtasks = """
        mode=$1; name=""; file=""
        while [ $# -gt 0 ]; do
          case "$1" in /TN) name=$2; shift ;; /XML) file=$2 ;; esac; shift
        done
        kept="$here/task-$(printf '%s' "$name" | tr -c 'a-z0-9_-' '+').xml"
        case "$mode" in
          /Create) cp "$file" "$kept" ;;
          /Query) [ -f "$kept" ] || { echo "ERROR: The system cannot find the file specified." >&2; exit 1; }; iconv -f UTF-16 -t UTF-8 "$kept" ;;
          /Delete) rm "$kept" ;;
        esac
        """;

    /// <summary>systemd, of the machine or of the account, which answers.</summary>
    public const string Systemctl = """
        [ "$1" = --user ] && shift
        case "$1" in
          enable) touch "$here/enabled-$2" ;;
          disable) rm "$here/enabled-$3" ;;
          is-enabled) [ -f "$here/enabled-$3" ] ;;
          show-environment|daemon-reload|restart) ;;
          *) exit 9 ;;
        esac
        """;

    /// <summary>launchd.</summary>
    public const string Launchctl = """
        case "$1" in
          bootstrap) touch "$here/loaded-$(basename "$3" .plist)" ;;
          bootout) rm "$here/loaded-$(basename "$2")" ;;
          print) [ -f "$here/loaded-$(basename "$2")" ] ;;
          *) exit 9 ;;
        esac
        """;

    /// <summary>A scheduler that exists and does not answer.</summary>
    public const string Silent = "exit 1";

    /// <summary>Puts a stand-in into a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The program's name.</param>
    /// <param name="body">Its shell script, in which <c>$here</c> is the folder.</param>
    public static void Install(string folder, string name, string body)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, $"#!/bin/sh\nhere=$(dirname \"$0\")\nprintf '%s\\n' \"{name} $*\" >> \"$here/calls.txt\"\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Skips the running test on systems where no shell script can stand in for a program.</summary>
    public static void SkipWhereNone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-ins are shell scripts");
        _ = Tool.Require("sh");
    }
}
