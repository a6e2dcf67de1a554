Describe 'Get-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $old = New-AgedBackup (New-TimeSpan -Days 40) @{ retention_policy = 'weekly' }
        $middle = New-AgedBackup (New-TimeSpan -Days 20) @{ db_path = '/srv/other.db' }
        $young = New-AgedBackup (New-TimeSpan -Hours 13) @{ verified = $true }
    }
    AfterEach { Exit-Workspace }

    It 'lists the newest first' {
        (Get-SHBackup).Id | Should -Be @($young, $middle, $old)
    }

    It 'filters' {
        (Get-SHBackup -Newest 2).Id | Should -Be @($young, $middle)
        (Get-SHBackup -RetentionPolicy Weekly).Id | Should -Be $old
        (Get-SHBackup -Database other.db).Id | Should -Be $middle
        (Get-SHBackup -Verified).Id | Should -Be $young
        (Get-SHBackup -After (Get-Date).AddDays(-30)).Id | Should -Be @($young, $middle)
        (Get-SHBackup -Before (Get-Date).AddDays(-30)).Id | Should -Be $old
        (Get-SHBackup "*$($young.Substring(10))").Id | Should -Be $young
    }

    It 'selects by age with <literal>' -ForEach @(
        @{ Literal = '30d'; Count = 1 }
        @{ Literal = "'30d'"; Count = 1 }
        @{ Literal = '12h'; Count = 3 }
        @{ Literal = '2w'; Count = 2 }
        @{ Literal = '6mo'; Count = 0 }
    ) {
        Invoke-Expression "Get-SHBackup | Where-Object Age -gt $Literal" | Should -HaveCount $Count
        Invoke-Expression "Get-SHBackup -OlderThan $Literal" | Should -HaveCount $Count
    }

    It 'never matches <literal>' -ForEach @(
        @{ Literal = '30' }, @{ Literal = '30s' }, @{ Literal = '4y' }, @{ Literal = '30l' }
        @{ Literal = '1kb' }, @{ Literal = '30.5' }, @{ Literal = "''" }, @{ Literal = 'nonsense' }
    ) {
        $Error.Clear()
        Invoke-Expression "Get-SHBackup | Where-Object Age -gt $Literal" 2>$null | Should -BeNullOrEmpty
        $Error | Should -Not -BeNullOrEmpty
    }

    It 'lists the others when a sidecar is broken' {
        Set-Content "./backups/$middle.json" '{'
        $listed = Get-SHBackup -ErrorAction SilentlyContinue -ErrorVariable failed
        $listed.Id | Should -Be @($young, $old)
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'SidecarInvalid,*'
    }

    It 'completes ids with date, type and size' {
        $offered = (TabExpansion2 'Get-SHBackup -Id ').CompletionMatches
        $offered.CompletionText | Should -Be @($young, $middle, $old)
        $offered[0].ToolTip | Should -Match '^\d{4}-\d\d-\d\d \d\d:\d\d UTC, Full, [\d.]+ K?i?B'
    }

    It 'survives ConvertTo-Json, Export-Clixml and a job' {
        (Get-SHBackup -Newest 1 | ConvertTo-Json -Depth 5 | ConvertFrom-Json).Size | Should -BeGreaterThan 0
        Get-SHBackup | Export-Clixml ./list.xml
        (Import-Clixml ./list.xml | Where-Object Age -gt 30d).Id | Should -Be $old
        $module = (Get-Module SignalHarvester.Backup).Path
        $directory = Convert-Path ./backups
        $listed = Start-Job { Import-Module $using:module; Get-SHBackup -BackupDirectory $using:directory } | Receive-Job -Wait -AutoRemoveJob
        ($listed | Where-Object Age -gt 30d).Id | Should -Be $old
        ($listed[0] | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'shows a table, and everything with Format-List' {
        $table = Get-SHBackup | Out-String -Width 120
        $table | Should -Match 'Id +Type +Age'
        $table | Should -Match ([regex]::Escape($old))
        Get-SHBackup -Newest 1 | Format-List | Out-String | Should -Match 'StoredChecksum +: [0-9a-f]{64}'
    }
}
