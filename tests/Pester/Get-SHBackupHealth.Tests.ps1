Describe 'Get-SHBackupHealth' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        New-SHBackup ./app.db | Out-Null
    }
    AfterEach { Exit-Workspace }

    It 'gives a status for each database, the worst of its checks' {
        $health = Get-SHBackupHealth
        $health.DatabasePath | Should -BeLike '*app.db'
        $health.Status | Should -Be ($health.Checks.Status | Sort-Object -Descending)[0]
    }

    It 'gives a reason for each check, and a command for each that is not Ok' {
        $checks = (Get-SHBackupHealth).Checks
        $checks.Reason | Should -Not -Contain $null
        ($checks | Where-Object Status -ne Ok).Command | Should -Not -Contain $null
    }

    It 'writes one page' {
        $path = Get-SHBackupHealth -AsHtml -Path ./health.html
        Get-Content $path -Raw | Should -BeLike '<!DOCTYPE html>*'
    }
}
