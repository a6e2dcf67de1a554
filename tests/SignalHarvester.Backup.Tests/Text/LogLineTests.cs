using System.Text;
using SignalHarvester.Backup.Tests.Scheduling;
using SignalHarvester.Backup.Text;
using Xunit;

namespace SignalHarvester.Backup.Tests.Text;

/// <summary>Lines of logs, read back by the rules of logfmt.</summary>
public sealed class LogLineTests
{
    /// <summary>Values with what they look like.</summary>
    public static TheoryData<string, string> Values => new()
    {
        { "plain", "k=plain" },
        { "/srv/app.db", "k=/srv/app.db" },
        { @"C:\data\app.db", @"k=C:\data\app.db" },
        { "Größe", "k=Größe" },
        { string.Empty, "k=\"\"" },
        { "two words", "k=\"two words\"" },
        { "a=b", "k=\"a=b\"" },
        { "say \"so\"", @"k=""say \""so\""""" },
        { @"a \b", @"k=""a \\b""" },
        { "one\ntwo\r\tthree", @"k=""one\ntwo\r\tthree""" },
        { "\u001b[31mred", @"k=""\u001b[31mred""" },
        { "\u202Egnp.exe", @"k=""\u202egnp.exe""" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_is_quoted_where_logfmt_wants_it(string value, string expected) => Assert.Equal(expected, new LogLine().Add("k", value).ToString());

    [Fact]
    public void Whatever_a_value_is_the_line_stays_one_and_reads_back_as_it_was_written()
    {
        var line = Scheduled.HostileTexts.Aggregate(new LogLine(), (line, text) => line.Add("k", text).Add("none", null)).ToString();
        Assert.DoesNotContain(line, char.IsControl);
        Assert.Equal(Scheduled.HostileTexts.Select(text => ("k", text)), Read(line));
    }

    /// <summary>Reads a line as collectors do.</summary>
    private static IEnumerable<(string Key, string Value)> Read(string line)
    {
        for (var at = 0; at < line.Length; at++)
        {
            var equals = line.IndexOf('=', at);
            var key = line[at..equals];
            at = equals + 1;
            var value = new StringBuilder();
            if (at < line.Length && line[at] == '"')
            {
                for (at++; line[at] != '"'; at++)
                {
                    value.Append(line[at] != '\\' ? line[at] : line[++at] switch
                    {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => (char)Convert.ToInt32(line[(at + 1)..((at += 4) + 1)], 16),
                        var itself => itself,
                    });
                }

                at++;
            }
            else
            {
                for (; at < line.Length && line[at] != ' '; at++)
                {
                    value.Append(line[at]);
                }
            }

            yield return (key, value.ToString());
        }
    }
}
