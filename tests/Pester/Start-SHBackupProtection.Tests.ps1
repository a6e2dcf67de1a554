Describe 'Start-SHBackupProtection, Get-SHBackupProtection, Stop-SHBackupProtection' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'says what it would protect with -WhatIf, and does not' {
        Start-SHBackupProtection ./app.db -To ./offsite -CreateContainer -WhatIf | Should -BeNullOrEmpty
        './offsite' | Should -Not -Exist
        Get-SHBackupProtection | Should -BeNullOrEmpty
    }

    It 'names what it cannot protect' {
        { Start-SHBackupProtection ./missing.db -To ./offsite -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
        { Start-SHBackupProtection ./app.db -To ./backups -BackupDirectory ./backups -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }

    It 'protects in a process of its own until it is stopped, and every transaction comes back' -Skip:(-not ($IsLinux -and (Get-Command sqlite3 -ErrorAction Ignore))) {
        sqlite3 app.db 'PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS noted(n INTEGER)'
        $manifest = (Get-Module SignalHarvester.Backup).Path
        $session = [powershell]::Create()
        $null = $session.AddScript("
            Set-Location -LiteralPath '$($PWD.ProviderPath.Replace("'", "''"))'
            Import-Module '$($manifest.Replace("'", "''"))'
            Start-SHBackupProtection ./app.db -To ./offsite -CreateContainer")
        $running = $session.BeginInvoke()
        try {
            $deadline = (Get-Date).AddMinutes(1)
            while ((Get-SHBackupProtection).State -ne 'Following' -or (Get-SHBackupProtection).Segment -lt 1) {
                (Get-Date) | Should -BeLessThan $deadline
                Start-Sleep -Milliseconds 100
            }

            (Get-SHBackupProtection).ProcessId | Should -Not -Be $PID
            sqlite3 app.db 'INSERT INTO noted VALUES (1)'
            sqlite3 app.db 'INSERT INTO noted VALUES (2)'
            while ((Get-SHBackupProtection).StoredTransaction -lt 2) {
                (Get-Date) | Should -BeLessThan $deadline
                Start-Sleep -Milliseconds 100
            }

            $ended = Stop-SHBackupProtection app.db
            $ended.State | Should -Be 'Stopped'
            $ended.Gaps | Should -Be 0
        }
        finally {
            $null = $session.EndInvoke($running)
            $session.Dispose()
        }

        $transactions = Get-SHBackupTransaction -From ./offsite -Database app.db | Sort-Object Transaction
        $transactions.Transaction | Should -Be 0, 1, 2
        $null = Restore-SHBackup -Transaction 1 -From ./offsite -Database app.db -Destination ./first.db
        sqlite3 first.db 'SELECT max(n) FROM noted' | Should -Be 1
        $null = Restore-SHBackup -PointInTime (Get-Date) -From ./offsite -Database app.db -Destination ./last.db
        sqlite3 last.db 'SELECT max(n) FROM noted' | Should -Be 2
        Stop-SHBackupProtection -WarningVariable said -WarningAction SilentlyContinue
        $said | Should -BeLike '*is not protected at the moment*'
    }
}
